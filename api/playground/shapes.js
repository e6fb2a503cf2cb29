// The usual shapes of pictures, as sizes that the model can make.

import { $, el } from "./dom.js";

const SHAPES = [
  ["1:1", 1],
  ["3:2", 3 / 2],
  ["2:3", 2 / 3],
  ["4:3", 4 / 3],
  ["3:4", 3 / 4],
  ["16:9", 16 / 9],
  ["9:16", 9 / 16],
];

/** Shapes of about the model's own area, on its grid and within its limits. */
export function drawShapes(model) {
  const chips = SHAPES.map(([name, ratio]) => {
    const [width, height] = sizeOf(model, ratio);
    const radio = el("input", { type: "radio", name: "shape", value: `${width}x${height}` });
    // Before the form hears of it, and looks which shape the size has.
    radio.addEventListener("input", () => {
      [$("width").value, $("height").value] = [width, height];
    });
    return el("label", {}, radio, el("span", { title: `${width} × ${height}` }, name));
  });
  $("shapes").replaceChildren(el("legend", {}, "Shape"), ...chips);
}

/** Shows which of them width and height are, if one. */
export function markShape() {
  for (const radio of document.querySelectorAll("[name=shape]")) {
    radio.checked = radio.value === `${$("width").value}x${$("height").value}`;
  }
}

function sizeOf(model, ratio) {
  const area = model.native_width * model.native_height;
  const short = Math.max(Math.sqrt(area * Math.min(ratio, 1 / ratio)), model.min_size);
  const onGrid = (side) =>
    Math.min(Math.max(Math.round(side / model.size_multiple) * model.size_multiple, model.min_size), model.max_size);
  const [small, large] = [onGrid(short), onGrid(short * Math.max(ratio, 1 / ratio))];
  return ratio >= 1 ? [large, small] : [small, large];
}
