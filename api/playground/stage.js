// The picture in the middle: one that is developing, one that is done, or none yet.

import { actionsFor, pathOfPicture, samePicture, wordsOf } from "./actions.js";
import { catalog, modelNamed } from "./catalog.js";
import { $, button, el, moment } from "./dom.js";
import { markShown } from "./history.js";
import { endWords, jobOf, shareOf, standing } from "./jobs.js";
import { show } from "./service.js";
import { handlers } from "./wiring.js";

const EXAMPLES = [
  "a red circle on a white background",
  "a blue star on a yellow background",
  "a green heart on a black background",
];

// The page asks for sketches by itself; that a service makes none is nobody's worry.
const PAGES_OWN = "previews";

let shown = { kind: "nothing" };
let parts = {};

/** `draw`, which draws the stage anew. A focus that was in it stays on the same action, or on the thumb of what is
 * shown now, or at least on the stage: whoever uses the keyboard is not thrown back to the top of the page. */
const keepingFocus =
  (draw) =>
  (...given) => {
    const before = document.activeElement;
    const place = ["strip", "caption", "easel"].find((id) => $(id).contains(before));
    draw(...given);
    if (place && !before.isConnected) (sameAs(before, place) ?? $("stage")).focus({ preventScroll: true });
  };

function sameAs(gone, place) {
  if (place === "strip") return $("strip").querySelector("[aria-current]");
  const actions = [...$("caption").querySelectorAll("button, .button")];
  return actions.find(({ textContent }) => textContent === gone.textContent);
}

export const shownPicture = () => (shown.kind === "picture" ? shown.picture : null);
export const showsNothing = () => shown.kind === "nothing";
export const follows = (id) => shown.kind === "job" && shown.id === id;

export const showNothing = keepingFocus(() => {
  shown = { kind: "nothing" };
  // Only the embedded model has a vocabulary small enough to suggest from.
  const tiny = modelNamed(catalog.defaultModel)?.family === "tiny";
  const chips = (tiny ? EXAMPLES : []).map((words) => button(words, () => handlers.suggest(words), { class: "quiet" }));
  $("easel").replaceChildren(
    el(
      "div",
      { class: "blank" },
      el("p", { class: "blank-title" }, "The paper is still white."),
      el("p", { class: "hint" }, "Say what you would like to see, and press Generate."),
      el("div", { class: "suggestions" }, ...chips),
    ),
  );
  clear();
});

export const showJob = keepingFocus((id) => {
  const job = jobOf(id);
  if (!job) return;
  shown = { kind: "job", id };
  const { width, height } = sizeOf(job.generation.plan);
  parts = {
    frame: el("img", { alt: "What it looks like so far", hidden: true }),
    bar: el("progress", { max: 1, value: 0, "aria-label": "How far it is" }),
    said: el("p", { class: "figures" }),
  };
  const paper = el("div", { class: "paper developing" }, parts.frame);
  paper.style.setProperty("--aspect", width / height);
  $("easel").replaceChildren(paper, parts.bar);
  clear();
  $("caption").replaceChildren(
    el("p", { class: "words" }, job.generation.plan.prompt || "Without words"),
    parts.said,
    el(
      "div",
      { class: "actions" },
      button("Cancel", () => handlers.cancel(id), { class: "danger" }),
    ),
  );
  updateJob(job);
});

export function updateJob(job) {
  parts.bar.value = shareOf(job.generation);
  parts.bar.classList.toggle("waiting", job.generation.state === "queued");
  parts.said.textContent = standing(job.generation);
  const frame = job.frames.get(0) ?? [...job.frames.values()][0];
  if (frame && parts.frame.src !== frame) {
    parts.frame.src = frame;
    parts.frame.hidden = false;
  }
  sketchStrip([...job.frames]);
}

/** Of several pictures, each one's newest sketch. */
function sketchStrip(frames) {
  const urls = frames.map(([, url]) => url).join();
  if (frames.length < 2 || parts.sketched === urls) return;
  parts.sketched = urls;
  const sketches = frames.map(([index, src]) => el("img", { class: "thumb", src, alt: `Picture ${index + 1} so far` }));
  $("strip").replaceChildren(...sketches);
  $("strip").hidden = false;
}

export const showPicture = keepingFocus((picture, { fresh = false } = {}) => {
  shown = { kind: "picture", picture };
  const { generation, index } = picture;
  const image = generation.images[index];
  const img = el("img", { alt: wordsOf(picture), width: image.width, height: image.height });
  show(img, pathOfPicture(picture));
  const paper = el("div", { class: fresh ? "paper fresh" : "paper" }, img);
  paper.style.setProperty("--aspect", image.width / image.height);
  paper.addEventListener("dblclick", () => handlers.enlarge(picture));
  $("easel").replaceChildren(paper);
  showStrip(picture);
  $("caption").replaceChildren(
    el("p", { class: "words" }, generation.plan.prompt || "Without words"),
    el("p", { class: "figures" }, figuresOf(picture)),
    ...generation.warnings
      .filter(({ field }) => field !== PAGES_OWN)
      .map(({ field, reason }) => el("p", { class: "note" }, `${field}: ${reason}`)),
    ...flaggedWords(image),
    el("div", { class: "actions" }, ...actionsFor(picture)),
  );
  markShown(picture);
});

/** A quiet word on a picture that was flagged, and shown all the same. */
function flaggedWords({ safety }) {
  if (safety?.action !== "annotated") return [];
  const found = Object.keys(safety.reached).map((name) => `${name} ${safety.categories[name].toFixed(2)}`);
  return [el("p", { class: "note" }, `flagged: ${found.join(", ")}`)];
}

export const showEnd = keepingFocus((generation) => {
  shown = { kind: "end" };
  const { title, text } = endWords(generation);
  $("easel").replaceChildren(
    el(
      "div",
      { class: "blank" },
      el("p", { class: "blank-title" }, title),
      text ? el("p", { class: "hint" }, text) : null,
    ),
  );
  clear();
  $("caption").replaceChildren(
    el("p", { class: "words" }, generation.plan.prompt || "Without words"),
    el("p", { class: "figures" }, `${generation.plan.model} · ${moment(generation.created_at)}`),
    el(
      "div",
      { class: "actions" },
      button("Restore settings", () => handlers.restore({ generation })),
    ),
  );
});

export function figuresOf({ generation, index }) {
  const { plan, receipt, finished_at } = generation;
  const image = generation.images[index];
  const pieces = [plan.model, `${image.width} × ${image.height}`, `seed ${image.seed}`, `${plan.steps} steps`];
  if (receipt) pieces.push(`${receipt.device_seconds.toFixed(1)} s on ${receipt.device}`);
  pieces.push(moment(finished_at));
  return pieces.join(" · ");
}

function showStrip(picture) {
  const { images } = picture.generation;
  $("strip").hidden = images.length < 2;
  if (images.length < 2) return;
  const thumbs = images.map((_, index) => {
    const each = { generation: picture.generation, index };
    const img = el("img", { alt: `Picture ${index + 1} of ${images.length}` });
    show(img, pathOfPicture(each));
    const thumb = button("", () => showPicture(each), { class: "thumb" });
    thumb.replaceChildren(img);
    if (samePicture(each, picture)) thumb.setAttribute("aria-current", "true");
    return thumb;
  });
  $("strip").replaceChildren(...thumbs);
}

function clear() {
  $("strip").hidden = true;
  $("strip").replaceChildren();
  $("caption").replaceChildren();
  markShown(null);
}

function sizeOf({ width, height, start }) {
  return start.kind === "mask" ? start.image : { width, height };
}
