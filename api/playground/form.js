// The form: a request in, a request out. What is written into it reads back the same.

import { catalog, fitting, isRefiner, modelNamed } from "./catalog.js";
import { controls } from "./controls.js";
import { $, options } from "./dom.js";
import { input } from "./input.js";
import { keep, recall } from "./kept.js";
import { loras } from "./loras.js";
import { Problem } from "./service.js";
import { drawShapes, markShape } from "./shapes.js";

const KEPT_FORM = "darkroom.form";
const OF_TASK = {
  image_to_image: { strength: 0.75 },
  inpaint: { strength: 1, masked_content: "original", mask_blur: 4, only_masked: false, mask_padding: 32 },
  outpaint: { strength: 1, masked_content: "fill", mask_blur: 8 },
};
const OF_ALL = {
  n: 1,
  negative_prompt: "",
  clip_skip: 0,
  output_format: "png",
  deterministic: false,
  priority: "interactive",
};
const HIRES = { scale: 2, strength: 0.7, steps: 0, upscaler: "latent" };
const EXPAND = { left: 64, top: 0, right: 64, bottom: 0 };
const FLAGS = new Set(["only_masked", "deterministic"]);

let shownModel = null;

export function prepareForm() {
  const { capabilities } = catalog;
  options(
    $("model"),
    catalog.models.filter((model) => !isRefiner(model)).map((model) => [model.name, model.title]),
    catalog.defaultModel,
  );
  options(
    $("scheduler"),
    catalog.schedulers.map(({ name, title }) => [name, title]),
  );
  options(
    $("output_format"),
    capabilities.output_formats.map((name) => [name, name.toUpperCase()]),
  );
  options(
    $("priority"),
    capabilities.priorities.map((name) => [name, name === "bulk" ? "when others are done" : "as soon as possible"]),
  );
  const labels = capabilities.visible_labels;
  options($("visible_label"), [["", capabilities.always_labelled || "none"], ...labels.map((label) => [label, label])]);
  $("label-field").hidden = labels.length === 0;
  showModel(modelNamed(catalog.defaultModel));
  $("model").addEventListener("change", () => showModel(modelNamed($("model").value)));
  for (const radio of taskChoices()) radio.addEventListener("change", taskChosen);
  $("form").addEventListener("input", settle);
  mirrorSliders();
  settle();
}

/** What would be asked for now. Raises: Problem for what is no number. */
export function readForm() {
  const task = taskNow();
  const request = {
    task,
    prompt: $("prompt").value,
    ...read(["negative_prompt", "model", "steps", "guidance_scale", "scheduler"]),
  };
  if (task === "text_to_image" || (task !== "outpaint" && !$("own_size").checked))
    Object.assign(request, read(["width", "height"]));
  Object.assign(request, read(["seed", "n", "vae", "clip_skip", "output_format", "deterministic", "priority"]));
  if (request.output_format !== "png") Object.assign(request, read(["output_compression"]));
  if ($("visible_label").value) request.visible_label = $("visible_label").value;
  if (task !== "text_to_image") Object.assign(request, { image: input.asset.id }, read(Object.keys(OF_TASK[task])));
  if (task === "inpaint" && input.mask) request.mask = input.mask.id;
  if (task === "outpaint") request.expand = readGroup("expand", EXPAND);
  if (task === "text_to_image" && $("hires").checked) request.hires = readGroup("hires", HIRES);
  if ($("refiner_model").value && !$("refiner-group").hidden)
    request.refiner = readGroup("refiner", { model: "", switch_at: 0.8 });
  Object.assign(request, { loras: loras.read(), controlnets: controls.read() });
  return withoutDefaults(request);
}

/** Puts a request into the form; what it does not say gets the defaults. Gives what is not here any more, in words. */
export async function writeForm(request) {
  const model = modelNamed(request.model) ?? modelNamed(catalog.defaultModel);
  $("model").value = model.name;
  shownModel = null;
  showModel(model);
  const task = request.task ?? "text_to_image";
  for (const radio of taskChoices())
    radio.checked = radio.value === (task === "text_to_image" ? "image_to_image" : task);
  const plain = {
    ...OF_ALL,
    ...OF_TASK[task],
    prompt: "",
    seed: "",
    vae: "",
    output_compression: "",
    visible_label: "",
    ...request,
  };
  for (const [name, value] of Object.entries(plain)) {
    if (FLAGS.has(name)) $(name).checked = value;
    else if (["string", "number"].includes(typeof value) && $(name)?.form && $(name).type !== "file")
      $(name).value = value;
  }
  if (request.visible_label === true) $("visible_label").value = catalog.capabilities.visible_labels[0];
  $("own_size").checked = task === "text_to_image" || (request.width === undefined && request.height === undefined);
  writeGroup("expand", { ...EXPAND, ...request.expand });
  writeGroup("hires", { ...HIRES, ...request.hires });
  $("hires").checked = request.hires !== undefined;
  writeGroup("refiner", { model: "", switch_at: 0.8, ...request.refiner });
  const gone = [
    ...loras.write(request.loras ?? [], model.name),
    ...controls.write(request.controlnets ?? [], model.name),
  ];
  if (request.model && request.model !== model.name) gone.unshift(`the model ${request.model}`);
  gone.push(...(await input.restore(request.image, request.mask)));
  settle();
  syncSliders();
  return gone;
}

export function resetForm() {
  const { prompt, negative_prompt } = read(["prompt", "negative_prompt"]);
  return writeForm({ model: $("model").value, prompt, negative_prompt });
}

export function keepForm() {
  if (!shownModel) return; // what was kept before has not been written yet
  try {
    keep("localStorage", KEPT_FORM, JSON.stringify(readForm()));
  } catch (error) {
    if (!(error instanceof Problem)) throw error; // what is no number is not worth keeping
  }
}

export function keptForm() {
  try {
    return JSON.parse(recall("localStorage", KEPT_FORM) ?? "null");
  } catch {
    return null;
  }
}

/** The prompts, where there are any: they can be written before all else is here. */
export const typedWords = () =>
  Object.fromEntries(["prompt", "negative_prompt"].map((name) => [name, $(name).value]).filter(([, words]) => words));

export function chooseTask(task) {
  for (const radio of taskChoices()) radio.checked = radio.value === task;
  taskChosen();
}

export const taskNow = () =>
  input.asset === null ? "text_to_image" : taskChoices().find((radio) => radio.checked).value;

/** Hides what is not for this task, and says in the summaries what is set inside. */
export function settle() {
  const task = taskNow();
  for (const part of document.querySelectorAll("[data-task]"))
    part.hidden = !part.dataset.task.split(" ").includes(task);
  $("input-settings").hidden = task === "text_to_image";
  $("size").hidden = task === "outpaint" || (task !== "text_to_image" && $("own_size").checked);
  $("mask_padding").disabled = !$("only_masked").checked;
  $("quality-field").hidden = $("output_format").value === "png";
  $("loras-count").textContent = loras.read().length || "";
  $("controls-count").textContent = controls.read().length || "";
  $("hires-count").textContent = $("hires").checked ? `${$("hires_scale").value} ×` : "";
  $("refiner-count").textContent = $("refiner_model").value;
  markShape();
}

const taskChoices = () => [...document.querySelectorAll("[name=task]")];

function taskChosen() {
  for (const [name, value] of Object.entries(OF_TASK[taskNow()] ?? {})) {
    if (FLAGS.has(name)) $(name).checked = value;
    else $(name).value = value;
  }
  settle();
  syncSliders();
}

function showModel(model) {
  const defaults = defaultsOf(model);
  const before = shownModel ? defaultsOf(shownModel) : null;
  for (const [name, value] of Object.entries(defaults)) {
    if (before === null || $(name).value === String(before[name])) $(name).value = value;
  }
  for (const name of ["width", "height"])
    Object.assign($(name), { min: model.min_size, max: model.max_size, step: model.size_multiple });
  $("clip_skip").max = model.max_clip_skip;
  const vaes = fitting(catalog.vaes, model.name);
  options($("vae"), [["", "the model's own"], ...vaes.map(({ name }) => [name, name])], $("vae").value);
  $("vae-field").hidden = vaes.length === 0;
  const refiners = model.family === "sdxl" ? catalog.models.filter(isRefiner) : [];
  options(
    $("refiner_model"),
    [["", "none"], ...refiners.map(({ name, title }) => [name, title])],
    $("refiner_model").value,
  );
  $("refiner-group").hidden = refiners.length === 0;
  shownModel = model;
  loras.fit(model.name);
  controls.fit(model.name);
  $("loras-group").hidden = !loras.possible(model.name);
  $("controls-group").hidden = !controls.possible(model.name);
  drawShapes(model);
  settle();
  syncSliders();
}

function defaultsOf(model) {
  return {
    width: model.native_width,
    height: model.native_height,
    steps: model.default_steps,
    guidance_scale: model.default_guidance_scale,
    scheduler: model.default_scheduler,
  };
}

function read(names) {
  const found = {};
  for (const name of names) {
    const value = valueOf(name, name);
    if (value !== undefined) found[name] = value;
  }
  return found;
}

function readGroup(group, fields) {
  return Object.fromEntries(
    Object.keys(fields)
      .map((name) => [name, valueOf(`${group}_${name}`, `${group}.${name}`)])
      .filter(([, value]) => value !== undefined),
  );
}

function writeGroup(group, values) {
  for (const [name, value] of Object.entries(values)) $(`${group}_${name}`).value = value;
}

function valueOf(id, field) {
  const control = $(id);
  if (control.type === "checkbox") return control.checked;
  if (control.type !== "number")
    return control.value === "" && control.tagName === "SELECT" ? undefined : control.value;
  if (control.validity.badInput) throw new Problem(422, { field, detail: "must be a number" });
  return control.value === "" ? undefined : Number(control.value);
}

function withoutDefaults(request) {
  const bare = Object.entries(request).filter(([name, value]) => {
    if (Array.isArray(value)) return value.length > 0;
    return value !== OF_ALL[name];
  });
  const { task, ...rest } = Object.fromEntries(bare);
  return task === "text_to_image" ? rest : { task, ...rest };
}

function mirrorSliders() {
  for (const range of document.querySelectorAll("input[type=range][data-for]")) {
    const number = $(range.dataset.for);
    Object.assign(range, { min: number.min, max: range.dataset.most ?? number.max, step: number.step });
    range.addEventListener("input", () => {
      number.value = range.value;
    });
    number.addEventListener("input", syncSliders);
  }
  syncSliders();
}

function syncSliders() {
  for (const range of document.querySelectorAll("input[type=range][data-for]")) {
    range.value = $(range.dataset.for).value;
    range.style.setProperty("--share", (range.value - range.min) / (range.max - range.min));
  }
}
