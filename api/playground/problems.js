// What the service refuses, said where it can be mended.

import { $, el, seconds, sentence } from "./dom.js";

const CONTROLS = "input:not([type=range]):not([type=file]), select, textarea, button";

export function clearProblems() {
  for (const said of document.querySelectorAll(".problem")) said.remove();
  for (const control of document.querySelectorAll("[aria-invalid]")) {
    control.removeAttribute("aria-invalid");
    control.removeAttribute("aria-describedby");
  }
  $("refusal").hidden = true;
}

/** In words above, and at each field; the first of them gets the focus. */
export function showProblem(problem) {
  clearProblems();
  const controls = problem.errors.map(({ field, detail }) => atField(field, detail));
  $("refusal").textContent = problem.errors.length ? inWords(problem.errors) : alone(problem);
  $("refusal").hidden = false;
  const first = controls.find((control) => control !== null);
  first?.closest("details")?.setAttribute("open", "");
  if (first) first.focus();
  else $("refusal").scrollIntoView({ block: "nearest" });
}

function alone(problem) {
  const again = problem.retryAfter ? ` Try again in ${seconds(problem.retryAfter)}.` : "";
  return `${sentence(problem.message)}${again}`;
}

function inWords(errors) {
  return errors.map(({ field, detail }) => `${labelOf(field)}: ${detail.replace(`${field}: `, "")}`).join("\n");
}

function labelOf(field) {
  const holder = holderOf(field);
  const label =
    holder?.querySelector("label, legend, summary, h2") ?? holder?.closest(".group")?.querySelector("h2, summary");
  return label?.firstChild?.textContent.trim() || field;
}

/** The place of `loras.0.weight` is its own, else that of `loras.0`, else that of `loras`. */
function holderOf(field) {
  for (let path = field; path; path = path.slice(0, Math.max(path.lastIndexOf("."), 0))) {
    const holder = document.querySelector(`[data-field="${CSS.escape(path)}"]`);
    if (holder) return holder;
  }
  return null;
}

function atField(field, detail) {
  const holder = holderOf(field);
  if (!holder || holder.closest("[hidden]")) return null;
  const said = el("p", { class: "problem", id: `problem-${field}` }, detail.replace(`${field}: `, ""));
  holder.append(said);
  const control = holder.querySelector(CONTROLS);
  control?.setAttribute("aria-invalid", "true");
  control?.setAttribute("aria-describedby", said.id);
  return control;
}
