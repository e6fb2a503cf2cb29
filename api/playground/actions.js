// What can be done with a finished picture, wherever it is shown.

import { button, el, shortened } from "./dom.js";
import { address, blobOf, hasKey, picturePath } from "./service.js";
import { handlers } from "./wiring.js";

export const pathOfPicture = ({ generation, index }) => picturePath(generation.id, index);
export const samePicture = (a, b) => a?.generation.id === b?.generation.id && a?.index === b?.index;
export const wordsOf = ({ generation, index }) =>
  `${shortened(generation.plan.prompt, 200) || "Without words"}, seed ${generation.images[index].seed}`;

export function actionsFor(picture, { enlarge = true } = {}) {
  const act = (name) => () => handlers[name](picture);
  return [
    enlarge ? button("Full size", act("enlarge")) : null,
    downloadOf(picture),
    button("Use as input", act("useAsInput")),
    button("Restore settings", act("restore")),
    button("Reuse seed", act("reuseSeed")),
    button("Where is it from?", act("inspect")),
  ].filter((each) => each !== null);
}

function downloadOf(picture) {
  const { media_type } = picture.generation.images[picture.index];
  const name = `${picture.generation.id}-${picture.index}.${media_type.split("/")[1]}`;
  const link = el("a", { class: "button", href: address(pathOfPicture(picture)), download: name }, "Download");
  link.addEventListener("click", (event) => {
    if (!hasKey()) return; // the browser fetches it by itself
    event.preventDefault();
    handlers.attempt(() => save(picture, name));
  });
  return link;
}

async function save(picture, name) {
  const url = URL.createObjectURL(await blobOf(pathOfPicture(picture)));
  el("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
