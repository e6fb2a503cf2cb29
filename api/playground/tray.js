// All generations under way, where there is more than the one on the stage.

import { $, button, el, shortened } from "./dom.js";
import { running, shareOf, standing } from "./jobs.js";
import { ended } from "./service.js";
import { follows } from "./stage.js";
import { handlers } from "./wiring.js";

const cards = new Map();

export function drawTray(job) {
  if (ended(job.generation.state) || !running().includes(job)) remove(job.id);
  else if (!cards.has(job.id)) add(job);
  if (cards.has(job.id)) fill(cards.get(job.id), job);
  settleTray();
}

export function settleTray() {
  const jobs = running();
  $("tray").hidden = jobs.length === 0 || (jobs.length === 1 && follows(jobs[0].id));
  document.body.classList.toggle("at-work", jobs.length > 0);
  document.title = jobs.length > 0 ? `${Math.round(shareOf(jobs[0].generation) * 100)} % · darkroom` : "darkroom";
}

function add(job) {
  const words = shortened(job.generation.plan.prompt || "Without words");
  const card = {
    frame: el("img", { alt: "", hidden: true }),
    bar: el("progress", { max: 1, value: 0, "aria-label": `How far “${words}” is` }),
    said: el("span", { class: "figures" }),
  };
  card.root = el(
    "li",
    {},
    el("div", { class: "thumb-paper" }, card.frame),
    el(
      "div",
      { class: "job" },
      button(words, () => handlers.showJob(job.id), { class: "link" }),
      card.bar,
      card.said,
    ),
    button("Cancel", () => handlers.cancel(job.id), { class: "quiet", "aria-label": `Cancel “${words}”` }),
  );
  cards.set(job.id, card);
  $("jobs").append(card.root);
}

function fill(card, job) {
  card.bar.value = shareOf(job.generation);
  card.said.textContent = standing(job.generation);
  const frame = [...job.frames.values()][0];
  if (frame) Object.assign(card.frame, { src: frame, hidden: false });
}

function remove(id) {
  const root = cards.get(id)?.root;
  if (root?.contains(document.activeElement)) $("stage").focus({ preventScroll: true });
  root?.remove();
  cards.delete(id);
}
