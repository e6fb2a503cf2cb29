// ControlNet rows: a picture each, and what its map looks like before anything is made of it.

import { catalog, fitting } from "./catalog.js";
import { $, button, el, options, pause, say, toast } from "./dom.js";
import { call, pictureUrl, show, upload } from "./service.js";

const LOOK_AGAIN = 700;
let [rows, model] = [[], ""];

export const controls = {
  possible: (name) => fitting(catalog.controlnets, name).length > 0,

  /** Rows without a picture are not asked for yet. */
  read: () => rows.filter((row) => row.image).map(asked),

  /** Gives the names of those that are not here, or do not fit. */
  write(entries, modelName) {
    model = modelName;
    const names = fitting(catalog.controlnets, modelName).map(({ name }) => name);
    rows = entries.filter((entry) => names.includes(entry.model)).map(made);
    draw();
    return entries.map((entry) => entry.model).filter((name) => !names.includes(name));
  },

  add() {
    rows.push(made({}));
    drawChanged();
    rows.at(-1).net.focus();
  },

  fit(modelName) {
    model = modelName;
    const names = fitting(catalog.controlnets, modelName).map(({ name }) => name);
    rows = rows.filter((row) => names.includes(row.net.value));
    draw();
  },
};

function asked(row) {
  const { type } = netOf(row);
  return {
    type,
    model: row.net.value,
    image: row.image,
    scale: row.scale.valueAsNumber,
    start: row.start.valueAsNumber,
    end: row.end.valueAsNumber,
    preprocess: row.preprocess.checked,
  };
}

const netOf = (row) => catalog.controlnets.find(({ name }) => name === row.net.value);
const canMakeMap = (row) => catalog.preprocessors.some(({ type }) => type === netOf(row).type);

function made({ model: name, image = "", scale = 1, start = 0, end = 1, preprocess = true }) {
  const net = el("select");
  options(
    net,
    fitting(catalog.controlnets, model).map((each) => [each.name, `${each.name} (${each.type})`]),
    name,
  );
  const number = (value, most, step) => el("input", { type: "number", min: 0, max: most, step, value });
  const row = {
    net,
    image,
    scale: number(scale, 2, 0.05),
    start: number(start, 0.95, 0.05),
    end: number(end, 1, 0.05),
    preprocess: el("input", { type: "checkbox", checked: preprocess }),
    picture: el("img", { alt: "Picture to follow", hidden: true }),
    map: el("img", { alt: "Its map", hidden: true, class: "map" }),
    file: el("input", { type: "file", class: "unseen", accept: "image/png,image/jpeg,image/webp" }),
  };
  row.file.addEventListener("change", () => guarded(() => take(row, row.file.files[0])));
  net.addEventListener("change", () => fitRow(row));
  fitRow(row);
  if (image) showIn(row.picture, image);
  return row;
}

function fitRow(row) {
  row.map.hidden = true;
  row.preprocess.disabled = !canMakeMap(row);
  if (row.preprocess.disabled) row.preprocess.checked = false;
}

async function take(row, file) {
  if (!file) return;
  const asset = await upload(file);
  row.image = asset.id;
  row.map.hidden = true;
  await showIn(row.picture, asset.id);
  row.choose.textContent = "Another picture";
  for (const kind of ["input", "change"]) $("form").dispatchEvent(new Event(kind));
}

async function showIn(img, assetId) {
  await show(img, `api/v1/assets/${assetId}`);
  img.hidden = false;
}

/** Asks for the map until it is made. Raises: Problem. */
async function mapOf(type, image) {
  let found = await (await call("POST", "api/v1/preprocess", { json: { type, image } })).json();
  while (["queued", "running"].includes(found.state)) {
    await pause(LOOK_AGAIN);
    found = await (await call("GET", `api/v1/preprocess/${found.id}`)).json();
  }
  if (!found.map) throw new Error(found.failure?.message ?? `The map was not made: ${found.state}.`);
  return found.map;
}

async function preview(row) {
  if (!row.image) throw new Error("Choose a picture first.");
  row.look.setAttribute("aria-busy", "true");
  try {
    const map = await mapOf(netOf(row).type, row.image);
    row.map.src = await pictureUrl(`api/v1/assets/${map.id}`);
    row.map.hidden = false;
    say("The map is shown.");
  } finally {
    row.look.removeAttribute("aria-busy");
  }
}

async function guarded(act) {
  try {
    await act();
  } catch (error) {
    toast(error.message);
  }
}

function draw() {
  $("controls").replaceChildren(...rows.map(drawn));
  $("form").dispatchEvent(new Event("input"));
}

function drawChanged() {
  draw();
  $("form").dispatchEvent(new Event("change"));
}

function drawn(row, index) {
  const id = (name) => `control-${name}-${index}`;
  for (const name of ["net", "scale", "start", "end", "file"]) row[name].id = id(name);
  row.choose = el("label", { class: "button", for: id("file") }, row.image ? "Another picture" : "Choose a picture");
  row.look = button("Show its map", () => guarded(() => preview(row)), { class: "quiet" });
  const field = (name, text, control) =>
    el(
      "div",
      { class: "field", "data-field": `controlnets.${index}.${name}` },
      el("label", { for: control.id }, text),
      control,
    );
  const remove = button(
    "Remove",
    () => {
      rows.splice(index, 1);
      drawChanged();
      $("control-add").focus();
    },
    { class: "quiet", "aria-label": `Remove ControlNet ${index + 1}` },
  );
  return el(
    "div",
    {
      class: "control-row",
      role: "group",
      "aria-label": `ControlNet ${index + 1}`,
      "data-field": `controlnets.${index}`,
    },
    field("model", "ControlNet", row.net),
    el("div", { class: "control-pictures", "data-field": `controlnets.${index}.image` }, row.picture, row.map),
    el("div", { class: "row" }, row.choose, row.file, row.look),
    el("label", { class: "check" }, row.preprocess, el("span", {}, "Make the map of it (else it is one)")),
    el(
      "div",
      { class: "grid3" },
      field("scale", "Scale", row.scale),
      field("start", "From", row.start),
      field("end", "Up to", row.end),
    ),
    remove,
  );
}
