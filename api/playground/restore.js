// From what was made back to what was asked for: a generation's plan, or the text that A1111 writes into a PNG.

import { catalog } from "./catalog.js";
import { blobOf } from "./service.js";

/** The request that leads to this generation's pictures. */
export async function requestOf({ plan }) {
  const { prompt, negative_prompt, model, steps, guidance_scale, scheduler, clip_skip, deterministic, priority } = plan;
  const request = {
    prompt,
    negative_prompt,
    model,
    steps,
    guidance_scale,
    scheduler,
    clip_skip,
    deterministic,
    priority,
  };
  Object.assign(request, { seed: plan.seeds[0], n: plan.seeds.length, output_format: plan.output_format });
  if (plan.output_format !== "png") request.output_compression = plan.output_compression;
  if (plan.visible_label !== catalog.capabilities.always_labelled) request.visible_label = plan.visible_label;
  if (plan.vae.kind === "named") request.vae = plan.vae.name;
  request.loras = plan.loras.map((lora) => ({ model: lora.model, weight: lora.weight }));
  request.controlnets = plan.controls.map(controlOf);
  for (const stage of plan.later_stages) Object.assign(request, stageOf(stage, plan));
  return Object.assign(request, await startOf(plan));
}

function controlOf({ type, net, image, scale, start, end, preprocess }) {
  return { type, model: net.name, image: image.sha256, scale, start, end, preprocess };
}

function stageOf(stage, plan) {
  if (stage.kind === "refiner") return { refiner: { model: stage.model, switch_at: stage.switch_at } };
  const { upscaler, strength, steps } = stage;
  return { hires: { scale: stage.width / plan.width, upscaler, strength, steps: steps === plan.steps ? 0 : steps } };
}

async function startOf({ start, width, height }) {
  if (start.kind === "noise") return { task: "text_to_image", width, height };
  const { image, strength, masked_content } = start;
  if (start.kind === "image") return { task: "image_to_image", image: image.sha256, strength, width, height };
  const painted = { image: image.sha256, strength, masked_content, mask_blur: start.feather };
  if (start.kind === "mask") {
    const onlyMasked = start.seen.width < image.width || start.seen.height < image.height;
    const padding = onlyMasked ? { only_masked: true, mask_padding: await paddingOf(start) } : {};
    return { task: "inpaint", mask: start.mask.sha256, width, height, ...painted, ...padding };
  }
  const expand = {
    left: start.left,
    top: start.top,
    right: width - start.left - image.width,
    bottom: height - start.top - image.height,
  };
  return { task: "outpaint", expand, ...painted };
}

/** What `only_masked` saw around the mask: one side of what was seen is the padding's, the other may be wider for the
 * shape. Sides that end with the picture say nothing. */
async function paddingOf({ mask, image, seen }) {
  const box = bounds(await createImageBitmap(await blobOf(`api/v1/assets/${mask.sha256}`)));
  const around = [
    [box.left - seen.left, seen.left === 0],
    [box.top - seen.top, seen.top === 0],
    [seen.left + seen.width - box.right, seen.left + seen.width === image.width],
    [seen.top + seen.height - box.bottom, seen.top + seen.height === image.height],
  ];
  const free = around.filter(([, cut]) => !cut).map(([pixels]) => pixels);
  return Math.min(free.length ? Math.min(...free) : Math.max(...around.map(([pixels]) => pixels)), 512);
}

function bounds(bitmap) {
  const { width, height } = bitmap;
  const context = new OffscreenCanvas(width, height).getContext("2d");
  context.drawImage(bitmap, 0, 0);
  const { data } = context.getImageData(0, 0, width, height);
  const box = { left: width, top: height, right: 0, bottom: 0 };
  for (let at = 0; at < width * height; at += 1) {
    if (data[at * 4] < 128) continue;
    const [x, y] = [at % width, Math.floor(at / width)];
    box.left = Math.min(box.left, x);
    box.right = Math.max(box.right, x + 1);
    box.top = Math.min(box.top, y);
    box.bottom = Math.max(box.bottom, y + 1);
  }
  return box;
}

/** The text under `parameters` in a PNG, or null: chunks tEXt (Latin-1) and iTXt (UTF-8, not compressed). */
export async function parametersIn(file) {
  const bytes = new DataView(await file.arrayBuffer());
  if (bytes.byteLength < 8 || bytes.getUint32(0) !== 0x89504e47) return null;
  for (let at = 8; at + 12 <= bytes.byteLength;) {
    const length = bytes.getUint32(at);
    if (at + 12 + length > bytes.byteLength) return null;
    const kind = String.fromCharCode(...new Uint8Array(bytes.buffer, at + 4, 4));
    const text = textOf(kind, new Uint8Array(bytes.buffer, at + 8, length));
    if (text !== null) return text;
    at += 12 + length;
  }
  return null;
}

function textOf(kind, chunk) {
  const name = new TextEncoder().encode("parameters\0");
  if (!["tEXt", "iTXt"].includes(kind) || !name.every((byte, i) => chunk[i] === byte)) return null;
  if (kind === "tEXt") return new TextDecoder("latin1").decode(chunk.subarray(name.length));
  if (chunk[name.length] !== 0) return null;
  const language = chunk.indexOf(0, name.length + 2);
  const translated = chunk.indexOf(0, language + 1);
  return new TextDecoder().decode(chunk.subarray(translated + 1));
}

/** A1111's infotext as a request: prompt, `Negative prompt:`, and a last line that begins with `Steps:`. */
export function requestOfInfotext(text) {
  const lines = text.trim().split("\n");
  const last = /^Steps: \d/.test(lines.at(-1)) ? lines.pop() : "";
  const [prompt, negative_prompt = ""] = lines.join("\n").split(/^Negative prompt: /m);
  const told = Object.fromEntries(
    [...last.matchAll(/(?:^|, )([A-Z][\w ]*): ("(?:[^"\\]|\\.)*"|[^,]*)/g)].map(([, name, value]) => [name, value]),
  );
  const request = { prompt: prompt.trim(), negative_prompt: negative_prompt.trim() };
  const numbers = { steps: told.Steps, guidance_scale: told["CFG scale"], seed: told.Seed };
  [numbers.width, numbers.height] = /^(\d+)x(\d+)$/.exec(told.Size)?.slice(1) ?? [];
  for (const [name, value] of Object.entries(numbers)) {
    if (value !== undefined && Number.isFinite(Number(value))) request[name] = Number(value);
  }
  const wanted = plain(`${told.Sampler ?? ""} ${told["Schedule type"] ?? ""}`.replace("Automatic", ""));
  const scheduler = catalog.schedulers.find(({ title }) => plain(title) === wanted);
  if (scheduler) request.scheduler = scheduler.name;
  if (catalog.models.some(({ name }) => name === told.Model)) request.model = told.Model;
  return request;
}

const plain = (words) => words.toLowerCase().replace(/[^a-z0-9+]/g, "");
