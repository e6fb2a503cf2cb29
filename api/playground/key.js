// The API key: asked for only where the service wants one, kept only if that is wished, and never longer than the tab.

import { $, closable, openDialog } from "./dom.js";
import { hasKey, useKey } from "./service.js";

export function prepareKey(retry) {
  document.addEventListener("darkroom:key", () => ask());
  closable($("key-dialog"));
  $("key-open").addEventListener("click", () => openDialog($("key-dialog")));
  $("key-form").addEventListener("submit", (event) => {
    event.preventDefault();
    useKey($("key").value.trim(), { keep: $("key-keep").checked });
    $("key").value = "";
    $("key-dialog").close();
    retry();
  });
}

function ask() {
  $("key-open").hidden = false;
  $("key-refusal").hidden = !hasKey();
  $("key-refusal").textContent = "The service does not know this key.";
  openDialog($("key-dialog"));
  $("key").focus();
}
