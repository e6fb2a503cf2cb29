// Painting a mask. What was painted is kept as a list of strokes, so that undoing one costs no copies of the picture.

import { $, openDialog } from "./dom.js";
import { input, drawVeil, pathOf } from "./input.js";
import { blobOf, show } from "./service.js";

const PAINT = "rgb(255 90 54)";
let acts = [];
let stroke = null;
let before = null;
let tool = "brush";
let place = { x: 0, y: 0 };

const canvas = $("painter-canvas");
const context = canvas.getContext("2d", { willReadFrequently: true });

/** Ends with the mask as a PNG, or null if it was not wanted. */
export async function paintMask() {
  const { width, height } = input.asset;
  await show($("painter-image"), pathOf(input.asset));
  [canvas.width, canvas.height] = [width, height];
  before = null;
  if (input.mask) {
    before = document.createElement("canvas");
    await drawVeil(before, await blobOf(pathOf(input.mask)));
  }
  [acts, place] = [[], { x: width / 2, y: height / 2 }];
  $("painter-sheet").style.setProperty("--shape", `${width} / ${height}`);
  $("painter-sheet").style.setProperty("--aspect", width / height);
  redraw();
  openDialog($("painter"));
  moveRing();
  const painted = await new Promise((resolve) => {
    $("painter-done").onclick = () => resolve(true);
    $("painter").onclose = () => resolve(false);
  });
  const mask = painted ? await asMask() : null;
  $("painter").close();
  return mask;
}

export function preparePainter() {
  // Not closed by a click beside it, as other dialogs are: a stroke that misses must not cost the mask.
  $("painter-cancel").addEventListener("click", () => $("painter").close());
  for (const name of ["brush", "eraser"]) $(name).addEventListener("click", () => take(name));
  $("brush-size").addEventListener("input", moveRing);
  $("painter-undo").addEventListener("click", undo);
  $("painter-invert").addEventListener("click", () => act({ kind: "invert" }));
  $("painter-clear").addEventListener("click", () => act({ kind: "clear" }));
  canvas.addEventListener("pointerdown", begin);
  canvas.addEventListener("pointermove", move);
  for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, lift);
  canvas.addEventListener("keydown", byKey);
  $("painter").addEventListener("keydown", shortcut);
}

function take(name) {
  tool = name;
  $("brush").setAttribute("aria-pressed", String(name === "brush"));
  $("eraser").setAttribute("aria-pressed", String(name === "eraser"));
}

/** Pixels of the picture: the slider is a share of its shorter side. */
const thickness = () => Math.max(1, ((Math.min(canvas.width, canvas.height) * $("brush-size").value) / 100) * 0.6);

function positionOf(event) {
  const shown = canvas.getBoundingClientRect();
  return {
    x: ((event.clientX - shown.left) * canvas.width) / shown.width,
    y: ((event.clientY - shown.top) * canvas.height) / shown.height,
  };
}

function begin(event) {
  if (stroke || event.button !== 0) return; // a second finger, or another button
  canvas.setPointerCapture(event.pointerId);
  place = positionOf(event);
  stroke = { kind: "stroke", erase: tool === "eraser", size: thickness(), points: [place] };
  draw(stroke);
  moveRing();
}

function move(event) {
  place = positionOf(event);
  moveRing();
  if (!stroke) return;
  for (const each of event.getCoalescedEvents?.() ?? [event]) stroke.points.push(positionOf(each));
  draw(stroke);
}

function lift() {
  if (!stroke) return;
  acts.push(stroke);
  stroke = null;
  tell();
}

function act(made) {
  acts.push(made);
  draw(made);
  tell();
}

function undo() {
  acts.pop();
  redraw();
}

function redraw() {
  context.clearRect(0, 0, canvas.width, canvas.height);
  if (before) context.drawImage(before, 0, 0, canvas.width, canvas.height);
  acts.forEach(draw);
  tell();
}

function draw(made) {
  if (made.kind === "clear") context.clearRect(0, 0, canvas.width, canvas.height);
  else if (made.kind === "invert") invert();
  else line(made);
}

function invert() {
  context.globalCompositeOperation = "xor";
  context.fillStyle = PAINT;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.globalCompositeOperation = "source-over";
}

function line({ erase, size, points }) {
  context.globalCompositeOperation = erase ? "destination-out" : "source-over";
  Object.assign(context, { lineWidth: size, lineCap: "round", lineJoin: "round", strokeStyle: PAINT });
  context.beginPath();
  context.moveTo(points[0].x, points[0].y);
  for (const { x, y } of points.length > 1 ? points.slice(1) : points) context.lineTo(x, y);
  context.stroke();
  context.globalCompositeOperation = "source-over";
}

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

function byKey(event) {
  const arrow = ARROWS[event.key];
  if (!arrow && event.key !== " ") return;
  event.preventDefault();
  const from = place;
  if (arrow) {
    const step = Math.max(1, thickness() / 2);
    place = {
      x: Math.min(Math.max(from.x + arrow[0] * step, 0), canvas.width),
      y: Math.min(Math.max(from.y + arrow[1] * step, 0), canvas.height),
    };
  }
  moveRing();
  if (!arrow || event.shiftKey)
    act({ kind: "stroke", erase: tool === "eraser", size: thickness(), points: [from, place] });
}

function shortcut(event) {
  if (event.key === "z" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    undo();
  }
}

function moveRing() {
  const ring = $("brush-ring").style;
  ring.setProperty("--x", place.x / canvas.width);
  ring.setProperty("--y", place.y / canvas.height);
  ring.setProperty("--size", thickness() / canvas.width);
}

function tell() {
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  let painted = 0;
  for (let i = 3; i < data.length; i += 4) painted += data[i] >= 128;
  const share = (100 * painted) / (canvas.width * canvas.height);
  $("painter-said").textContent = `${share > 0 && share < 1 ? "less than 1" : Math.round(share)} % is made anew`;
  $("painter-done").disabled = painted === 0;
}

/** White where it was painted, black elsewhere. */
async function asMask() {
  const { width, height } = canvas;
  const pixels = context.getImageData(0, 0, width, height);
  for (let i = 0; i < pixels.data.length; i += 4) {
    const light = pixels.data[i + 3] >= 128 ? 255 : 0;
    pixels.data.set([light, light, light, 255], i);
  }
  const sheet = new OffscreenCanvas(width, height);
  sheet.getContext("2d").putImageData(pixels, 0, 0);
  return sheet.convertToBlob({ type: "image/png" });
}
