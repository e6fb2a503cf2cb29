// One picture at full size, and its neighbours by the arrow keys.

import { actionsFor, pathOfPicture, wordsOf } from "./actions.js";
import { $, closable, el, openDialog } from "./dom.js";
import { neighbour, pictures } from "./history.js";
import { show } from "./service.js";
import { figuresOf, showPicture } from "./stage.js";

let shown = null;

export function prepareViewer() {
  closable($("viewer"));
  $("viewer-newer").addEventListener("click", () => turn(-1));
  $("viewer-older").addEventListener("click", () => turn(1));
  $("viewer").addEventListener("keydown", (event) => {
    if (event.key === "ArrowLeft") turn(-1);
    if (event.key === "ArrowRight") turn(1);
  });
  $("viewer").addEventListener("close", () => shown && showPicture(shown));
}

export function enlarge(picture) {
  draw(picture);
  openDialog($("viewer"));
}

function turn(step) {
  const next = neighbour(shown, step);
  if (next) draw(next);
}

function draw(picture) {
  shown = picture;
  const image = picture.generation.images[picture.index];
  const img = el("img", { alt: wordsOf(picture), width: image.width, height: image.height });
  show(img, pathOfPicture(picture));
  $("viewer-frame").replaceChildren(img, el("p", { class: "figures" }, figuresOf(picture)));
  const at = pictures().findIndex(
    (each) => each.generation.id === picture.generation.id && each.index === picture.index,
  );
  $("viewer-place").textContent = `${at + 1} of ${pictures().length}`;
  $("viewer-newer").disabled = neighbour(picture, -1) === null;
  $("viewer-older").disabled = neighbour(picture, 1) === null;
  $("viewer-actions").replaceChildren(...actionsFor(picture, { enlarge: false }));
}
