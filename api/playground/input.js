// The picture to start from, and the mask over it. Both are sent ahead and named by their ids.

import { $, say } from "./dom.js";
import { blobOf, show, upload } from "./service.js";

export const input = {
  asset: null,
  mask: null,
  onChange: () => {},

  /** Raises: Problem, for what is no picture. */
  async use(picture) {
    setAsset(await upload(picture));
    say("The picture is ready to start from.");
  },

  async useMask(picture) {
    input.mask = await upload(picture);
    await drawMask();
    input.onChange();
  },

  remove() {
    setAsset(null);
  },

  /** From ids that a request had. What is not kept any more is left out, and told. */
  async restore(image, mask) {
    setAsset(image ? await assetOf(image).catch(() => null) : null);
    if (image && !input.asset) return ["the picture to start from"];
    if (!input.asset || !mask) return [];
    input.mask = await assetOf(mask).catch(() => null);
    await drawMask();
    return input.mask ? [] : ["the mask"];
  },
};

function setAsset(asset) {
  [input.asset, input.mask] = [asset, null];
  $("input-picture").hidden = asset === null;
  $("input-remove").hidden = asset === null;
  $("input-label").textContent = asset ? "Another picture" : "Choose a picture";
  $("input-hint").textContent = asset ? `${asset.width} × ${asset.height}` : "or drop one here";
  if (asset) show($("input-image"), pathOf(asset));
  else $("input-image").removeAttribute("src");
  drawMask();
  input.onChange();
}

export const pathOf = (asset) => `api/v1/assets/${asset.id}`;

async function assetOf(id) {
  const bitmap = await createImageBitmap(await blobOf(`api/v1/assets/${id}`));
  return { id, width: bitmap.width, height: bitmap.height };
}

/** The mask as a veil: what is white in it, in the colour of the safelight. */
async function drawMask() {
  const [canvas, { mask }] = [$("input-mask"), input];
  $("mask-open").textContent = mask ? "Change the mask" : "Paint the mask";
  canvas.hidden = true;
  if (!mask) return;
  const veil = await blobOf(pathOf(mask));
  if (input.mask !== mask) return; // another has come meanwhile
  await drawVeil(canvas, veil);
  canvas.hidden = input.mask !== mask;
}

export async function drawVeil(canvas, maskBlob) {
  const bitmap = await createImageBitmap(maskBlob);
  [canvas.width, canvas.height] = [bitmap.width, bitmap.height];
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  const pixels = context.getImageData(0, 0, canvas.width, canvas.height);
  for (let i = 0; i < pixels.data.length; i += 4) {
    const light = pixels.data[i] >= 128;
    pixels.data.set([255, 90, 54, light ? 255 : 0], i);
  }
  context.putImageData(pixels, 0, 0);
}
