// LoRA rows.

import { catalog, fitting } from "./catalog.js";
import { $, button, el, options } from "./dom.js";

let [rows, model] = [[], ""];

export const loras = {
  possible: (name) => fitting(catalog.loras, name).length > 0,

  read: () => rows.map((row) => ({ model: row.select.value, weight: row.weight.valueAsNumber })),

  /** Gives the names of those that are not here, or do not fit. */
  write(entries, modelName) {
    model = modelName;
    const names = fitting(catalog.loras, modelName).map(({ name }) => name);
    rows = entries.filter((entry) => names.includes(entry.model)).map(made);
    draw();
    return entries.map((entry) => entry.model).filter((name) => !names.includes(name));
  },

  add() {
    rows.push(made({}));
    drawChanged();
    rows.at(-1).select.focus();
  },

  /** Rows of LoRAs that do not fit this model go. */
  fit(modelName) {
    model = modelName;
    const names = fitting(catalog.loras, modelName).map(({ name }) => name);
    rows = rows.filter((row) => names.includes(row.select.value));
    draw();
  },
};

function made({ model: name, weight = 1 }) {
  const select = el("select");
  options(
    select,
    fitting(catalog.loras, model).map((lora) => [lora.name, lora.name]),
    name,
  );
  const number = el("input", { type: "number", min: -5, max: 5, step: 0.05, value: weight });
  return { select, weight: number };
}

function draw() {
  $("loras").replaceChildren(...rows.map(drawn));
  $("form").dispatchEvent(new Event("input"));
}

function drawChanged() {
  draw();
  $("form").dispatchEvent(new Event("change"));
}

function drawn(row, index) {
  row.select.id = `lora-${index}`;
  row.weight.id = `lora-weight-${index}`;
  const remove = button(
    "Remove",
    () => {
      rows.splice(index, 1);
      drawChanged();
      $("lora-add").focus();
    },
    { class: "quiet", "aria-label": `Remove LoRA ${index + 1}` },
  );
  return el(
    "div",
    { class: "lora-row", role: "group", "aria-label": `LoRA ${index + 1}`, "data-field": `loras.${index}` },
    el(
      "div",
      { class: "field", "data-field": `loras.${index}.model` },
      el("label", { for: row.select.id }, "LoRA"),
      row.select,
    ),
    el(
      "div",
      { class: "field", "data-field": `loras.${index}.weight` },
      el("label", { for: row.weight.id }, "Weight"),
      row.weight,
    ),
    remove,
  );
}
