"""Canvas -> latents. Once for all images of a work: what differs between them is drawn from their seeds later."""

from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor

from darkroom.contract.start import MaskedContent
from darkroom.errors import NanOutput
from darkroom.inputs.mask import Mask
from darkroom.inputs.normal import Pixels
from worker.engine.vae import AT_LEISURE, Circumstances, run_vae
from worker.models.checkpoint import Checkpoint, Moments
from worker.pictures.canvas import Canvas, Drawn, Masked


@dataclass(frozen=True, eq=False)
class Nothing:
    """Of a blank canvas."""


@dataclass(frozen=True, eq=False)
class Whole:
    """Of a picture to be drawn over everywhere."""

    image: Moments


@dataclass(frozen=True, eq=False)
class Part:
    """Of a picture, to be made anew where `mask_11HW`, in latents, is 1. `rest` has the masked pixels at 0."""

    image: Moments
    rest: Moments
    mask_11HW: Tensor
    content: MaskedContent


@dataclass(frozen=True, eq=False)
class Enlarged:
    """Of the stage before: its latents, as large as this one's, to be drawn over everywhere."""

    latents_1CHW: Tensor


@dataclass(frozen=True, eq=False)
class Carried:
    """Of the stage before, whose latents another model goes on with as they are."""


Encoded = Nothing | Whole | Part | Enlarged | Carried

NOTHING = Nothing()


@torch.inference_mode()
def encode(checkpoint: Checkpoint, canvas: Canvas | Tensor, circumstances: Circumstances = AT_LEISURE) -> Encoded:
    """Encode what is on the canvas, or a picture that is pixels in [-1, 1], 1 3 H W. Raises: NanOutput, OutOfMemory."""
    match canvas:
        case Tensor():
            return Whole(_moments(checkpoint, canvas, circumstances))
        case Drawn():
            return Whole(_moments(checkpoint, _tensor(canvas.rgb_HW3), circumstances))
        case Masked():
            return _part(checkpoint, canvas, circumstances)
    return NOTHING


def _part(checkpoint: Checkpoint, canvas: Masked, circumstances: Circumstances) -> Part:
    """Only networks made for inpainting look at the rest alone; for others it is not computed."""
    pixels_13HW = _tensor(canvas.rgb_HW3)
    image = _moments(checkpoint, pixels_13HW, circumstances)
    rest = image
    if checkpoint.inpaints:
        rest_13HW = pixels_13HW * torch.from_numpy(~canvas.mask_HW)
        rest = _moments(checkpoint, rest_13HW, circumstances)
    mask_11HW = latent_mask(canvas.mask_HW, checkpoint.spec.vae_scale_factor).to(checkpoint.device)
    return Part(image, rest, mask_11HW, canvas.content)


def latent_mask(mask_HW: Mask, factor: int) -> Tensor:
    """1 for each latent under which a pixel is masked, 1 1 h w.

    Diffusers looks at one pixel of each latent, and so loses thin lines.
    """
    pixels_11HW = torch.from_numpy(mask_HW.astype(np.float32))[None, None]
    return torch.nn.functional.max_pool2d(pixels_11HW, factor)


def _tensor(rgb_HW3: Pixels) -> Tensor:
    """0..255 -> [-1, 1], 1 3 H W, as `VaeImageProcessor` of diffusers does."""
    unit_HW3 = torch.from_numpy(rgb_HW3.astype(np.float32) / 255.0)
    return 2.0 * unit_HW3.permute(2, 0, 1)[None] - 1.0


def _moments(checkpoint: Checkpoint, pixels_13HW: Tensor, circumstances: Circumstances) -> Moments:
    """Half precision overflows in some VAEs, so latents that are not finite are computed once more in float32."""
    for dtype in checkpoint.vae_dtypes:
        moments = run_vae(checkpoint, partial(checkpoint.moments, pixels_13HW, dtype), circumstances)
        if torch.isfinite(moments.mean_1CHW).all() and torch.isfinite(moments.std_1CHW).all():
            return moments
    raise NanOutput("encoding a picture ended in values that are not numbers, also in float32")
