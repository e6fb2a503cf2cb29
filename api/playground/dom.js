// The few things that every part of the page does with its elements. Text is always set as text, never as markup.

export const $ = (id) => document.getElementById(id);

/** An element: `properties` are set on it, `data-` and `aria-` names and `class` as attributes. */
export function el(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null) continue;
    if (name.includes("-") || name === "class" || name === "for" || name === "role") made.setAttribute(name, value);
    else made[name] = value;
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

export function button(text, act, properties = {}) {
  const made = el("button", { type: "button", ...properties }, text);
  made.addEventListener("click", act);
  return made;
}

export function options(select, entries, chosen) {
  select.replaceChildren(...entries.map(([value, text]) => el("option", { value }, text)));
  if (chosen !== undefined && entries.some(([value]) => value === chosen)) select.value = chosen;
}

/** For screen readers: said once, politely. */
export function say(text) {
  $("said").textContent = text;
}

let fading = 0;

/** Shown for a moment to who sees, and said to who does not. */
export function toast(text) {
  say(text);
  const shown = $("toast");
  shown.textContent = text;
  shown.classList.add("shown");
  clearTimeout(fading);
  fading = setTimeout(() => shown.classList.remove("shown"), 3500);
}

export function openDialog(dialog) {
  if (!dialog.open) dialog.showModal();
}

/** Close buttons, and a click that begins and ends beside the dialog. Escape is the browser's own. */
export function closable(dialog) {
  for (const closer of dialog.querySelectorAll("[data-close]")) closer.addEventListener("click", () => dialog.close());
  let beside = false;
  dialog.addEventListener("pointerdown", (event) => {
    beside = isBeside(dialog, event);
  });
  dialog.addEventListener("click", (event) => {
    if (beside && isBeside(dialog, event)) dialog.close();
  });
}

/** Its padding is the dialog's own element as well as its backdrop is; only the place tells them apart. */
function isBeside(dialog, { target, clientX, clientY }) {
  const { left, right, top, bottom } = dialog.getBoundingClientRect();
  return target === dialog && (clientX < left || clientX > right || clientY < top || clientY > bottom);
}

export const isTyping = (target) => target instanceof Element && target.closest("input, textarea, select") !== null;

export function shortened(text, most = 60) {
  return text.length > most ? `${text.slice(0, most - 1).trimEnd()}…` : text;
}

/** With a capital and a full stop, as the service does without. */
export function sentence(words) {
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}${/[.!?]$/.test(words) ? "" : "."}`;
}

export function seconds(count) {
  if (count < 1.5) return "a moment";
  if (count < 90) return `about ${Math.round(count)} s`;
  if (count < 5400) return `about ${Math.round(count / 60)} min`;
  return `about ${(count / 3600).toFixed(1)} h`;
}

export function moment(iso) {
  return new Date(iso).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
}

export const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
