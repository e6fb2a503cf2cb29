// What this tenant made, newest first, as a sheet of pictures.

import { $, button, el, moment, shortened } from "./dom.js";
import { pathOfPicture, samePicture, wordsOf } from "./actions.js";
import { endWords } from "./jobs.js";
import { ended, get, show } from "./service.js";
import { handlers } from "./wiring.js";

const PAGE = 24;
const tiles = new Map();
let generations = [];
let cursor = null;

/** Every finished picture that is listed, newest first. */
export const pictures = () =>
  generations.flatMap((generation) => generation.images.map((_, index) => ({ generation, index })));

/** The picture so many places further down; null where there is none. */
export function neighbour(picture, step) {
  const all = pictures();
  const at = all.findIndex((each) => samePicture(each, picture));
  return at < 0 ? null : (all[at + step] ?? null);
}

/** The first page. What is still under way in it is answered, to be followed. What ends before it is here stays. */
export async function fetchHistory() {
  generations = [];
  tiles.clear();
  $("history").replaceChildren();
  return take(await get(`api/v1/generations?limit=${PAGE}`));
}

export async function fetchOlder() {
  return take(await get(`api/v1/generations?limit=${PAGE}&cursor=${cursor}`));
}

/** One that has just ended goes first. */
export function addToHistory(generation) {
  if (generations.some(({ id }) => id === generation.id)) return;
  generations.unshift(generation);
  $("history").prepend(...tilesOf(generation));
  settle();
}

export function markShown(picture) {
  for (const [key, tile] of tiles) {
    if (picture && key === keyOf(picture)) tile.setAttribute("aria-current", "true");
    else tile.removeAttribute("aria-current");
  }
}

export function prepareHistory() {
  $("history").addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }[event.key];
    if (!step) return;
    const all = [...$("history").querySelectorAll(".tile")];
    const at = all.indexOf(document.activeElement);
    if (at < 0) return;
    event.preventDefault();
    event.stopPropagation();
    all[Math.min(Math.max(at + step, 0), all.length - 1)].focus();
  });
}

function take(page) {
  cursor = page.cursor;
  const over = page.generations.filter(({ state }) => ended(state));
  const fresh = over.filter(({ id }) => !generations.some((known) => known.id === id));
  generations.push(...fresh);
  $("history").append(...fresh.flatMap(tilesOf));
  settle();
  return page.generations.filter(({ state }) => !ended(state));
}

function settle() {
  $("history-empty").hidden = generations.length > 0;
  $("history-more").hidden = cursor === null;
}

const keyOf = ({ generation, index }) => `${generation.id}/${index}`;

function tilesOf(generation) {
  if (generation.images.length === 0) return [withoutPicture(generation)];
  return generation.images.map((_, index) => withPicture({ generation, index }));
}

function withPicture(picture) {
  const words = wordsOf(picture);
  const img = el("img", { alt: words, loading: "lazy", decoding: "async" });
  show(img, pathOfPicture(picture));
  const tile = button("", () => handlers.show(picture), { class: "tile", title: shortened(words, 200) });
  tile.replaceChildren(img);
  tiles.set(keyOf(picture), tile);
  return el("li", {}, tile, restoring(picture.generation, words));
}

function withoutPicture(generation) {
  const { title } = endWords(generation);
  const words = shortened(generation.plan.prompt || "Without words", 80);
  const tile = button("", () => handlers.showEnd(generation), {
    class: "tile ended",
    title: moment(generation.created_at),
  });
  tile.replaceChildren(el("strong", {}, title), el("span", {}, words));
  return el("li", {}, tile, restoring(generation, words));
}

function restoring(generation, words) {
  return button("Restore", () => handlers.restore({ generation }), {
    class: "tile-restore",
    "aria-label": `Restore settings of ${shortened(words)}`,
  });
}
