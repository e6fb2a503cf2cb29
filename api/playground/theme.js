// Dark, light, or as the system has it.

import { $ } from "./dom.js";
import { keep, recall } from "./kept.js";

const KEPT_THEME = "darkroom.theme";
const NEXT = { system: "dark", dark: "light", light: "system" };
const WORDS = { system: "as the system has it", dark: "dark", light: "light" };
const SIGNS = { system: "◐", dark: "●", light: "○" };

export function prepareTheme() {
  apply(recall("localStorage", KEPT_THEME));
  $("theme").addEventListener("click", () => {
    const next = NEXT[document.documentElement.dataset.theme];
    keep("localStorage", KEPT_THEME, next);
    apply(next);
  });
}

function apply(kept) {
  const theme = kept in WORDS ? kept : "system";
  document.documentElement.dataset.theme = theme;
  $("theme").textContent = SIGNS[theme];
  $("theme").setAttribute("aria-label", `Colours: ${WORDS[theme]}`);
  $("theme").title = `Colours: ${WORDS[theme]}`;
}
