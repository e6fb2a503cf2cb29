// Pictures that are dropped or pasted anywhere. Words go where words go: into the text field under the pointer.

import { isTyping } from "./dom.js";

/** `take(picture, target)`, where `picture` is null for files of which none is one. */
export function prepareDropping(take) {
  let inside = 0;
  const enter = (count) => {
    inside = Math.max(count, 0);
    document.body.classList.toggle("dropping", inside > 0);
  };
  addEventListener("dragenter", (event) => holdsFiles(event.dataTransfer) && enter(inside + 1));
  addEventListener("dragleave", (event) => holdsFiles(event.dataTransfer) && enter(inside - 1));
  addEventListener("dragover", (event) => isOurs(event) && event.preventDefault());
  addEventListener("drop", (event) => {
    enter(0);
    if (!isOurs(event)) return;
    event.preventDefault();
    if (holdsFiles(event.dataTransfer)) take(pictureIn(event.dataTransfer), event.target);
  });
  addEventListener("paste", (event) => {
    const picture = pictureIn(event.clipboardData);
    const words = isTyping(event.target) && event.clipboardData.types.includes("text/plain");
    if (picture && !words) take(picture, document.body);
  });
}

const holdsFiles = (transfer) => transfer.types.includes("Files");

/** What is neither a file nor over a text field is taken, and left: a dropped link would lead away from here. */
const isOurs = (event) => holdsFiles(event.dataTransfer) || !isTyping(event.target);

const pictureIn = (transfer) => [...(transfer?.files ?? [])].find(({ type }) => type.startsWith("image/")) ?? null;
