"""Works that begin with pictures."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from darkroom.contract.plan import GenerationPlan
from darkroom.contract.start import Box, FromImage, FromInside, FromMask, PictureRef
from tests.unit.engine.checkpoints import SIDE
from tests.unit.engine.works import make_plan
from worker.engine import Work
from worker.pictures import prepare
from worker.pictures.canvas import Masked

Pixels = NDArray[np.uint8]

REF = PictureRef(sha256="a" * 64, width=SIDE, height=SIDE)
# Whole latents, so that it means the same to us and to diffusers.
ON_THE_GRID = (slice(16, 40), slice(8, 48))


def picture(side: int = SIDE, seed: int = 0) -> Pixels:
    """Smooth colours, H W 3."""
    coarse = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC))


def mask(side: int = SIDE, box: tuple[slice, slice] = ON_THE_GRID) -> NDArray[np.bool_]:
    mask_HW = np.zeros((side, side), np.bool_)
    mask_HW[box] = True
    return mask_HW


def as_picture(mask_HW: NDArray[np.bool_]) -> Pixels:
    return np.repeat(mask_HW[..., None].astype(np.uint8) * 255, 3, axis=2)


def computed(plan: GenerationPlan, strength: float) -> int:
    return int(plan.steps * strength)


def redrawn(job_id: str = "job", strength: float = 0.5, image: Pixels | None = None, **fields: Any) -> Work:
    """Image to image."""
    plan = make_plan(task="image_to_image", **fields)
    start = FromImage(image=REF, strength=strength, steps=computed(plan, strength))
    plan = plan.model_copy(update={"start": start})
    return Work(job_id, 1, plan, prepare.drawn(plan, picture(plan.width) if image is None else image))


def repainted(
    job_id: str = "job",
    strength: float = 0.5,
    content: str = "original",
    mask_HW: NDArray[np.bool_] | None = None,
    image: Pixels | None = None,
    feather: int = 0,
    **fields: Any,
) -> Work:
    """Inpainting of a picture as large as the plan."""
    plan = make_plan(task="inpaint", **fields)
    start = FromMask(
        image=REF,
        mask=REF,
        strength=strength,
        steps=computed(plan, strength),
        masked_content=content,
        feather=feather,
        seen=Box(left=0, top=0, width=plan.width, height=plan.height),
    )
    plan = plan.model_copy(update={"start": start})
    image = picture(plan.width) if image is None else image
    mask_HW = mask(plan.width) if mask_HW is None else mask_HW
    return Work(job_id, 1, plan, prepare.masked(plan, image, as_picture(mask_HW)))


def expanded(job_id: str = "job", strength: float = 1.0, feather: int = 2, **fields: Any) -> Work:
    """Outpainting of a picture of half the plan's size, in its top left corner."""
    plan = make_plan(task="outpaint", **fields)
    start = FromInside(
        image=REF,
        left=0,
        top=0,
        strength=strength,
        steps=computed(plan, strength),
        masked_content="fill",
        feather=feather,
    )
    plan = plan.model_copy(update={"start": start})
    return Work(job_id, 1, plan, prepare.inside(plan, picture(plan.width // 2)))


def with_seeds(work: Work, *seeds: int) -> Work:
    return replace(work, plan=work.plan.model_copy(update={"seeds": seeds}))


def canvas_of(work: Work) -> Masked:
    assert isinstance(work.canvas, Masked)
    return work.canvas
