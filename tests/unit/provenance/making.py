"""Pictures drawn for tests, and what happens to pictures on their way through the world."""

import io
from collections.abc import Callable
from dataclasses import replace
from functools import cache, lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from darkroom.contract.plan import Task
from darkroom.contract.start import Box, FromImage, FromInside, FromMask, FromNoise, PictureRef, Start
from darkroom.provenance import Facts, TssWatermarker
from darkroom.provenance.ancestry import Input
from tests.integration.ledger.making import plan

RGB = NDArray[np.uint8]

SECRET = bytes(range(32))
MARK_ID = 0x0123456789AB


@cache
def watermarker() -> TssWatermarker:
    return TssWatermarker.of(SECRET)


def shapes(height: int, width: int, seed: int = 0) -> RGB:
    """Flat shapes on a flat ground, as the embedded model draws them."""
    rng = np.random.default_rng(seed)
    picture = np.full((height, width, 3), rng.integers(60, 220, 3), np.uint8)
    short = min(height, width)
    for _ in range(4):
        colour = tuple(int(level) for level in rng.integers(20, 236, 3))
        x, y = (int(at) for at in rng.integers(0, (width, height)))
        side = int(rng.integers(short // 6, short // 3))
        if rng.random() < 0.5:
            cv2.circle(picture, (x, y), side, colour, -1, cv2.LINE_AA)
        else:
            cv2.rectangle(picture, (x, y), (x + side, y + side), colour, -1)
    return picture


@lru_cache(32)
def clouds(height: int, width: int, seed: int = 0) -> RGB:
    """Detail at every scale, each half as strong as the one twice its size, as in photographs. Shared and read-only."""
    rng = np.random.default_rng(seed)
    total = np.zeros((height, width, 3), np.float32)
    for octave in range(7):
        cells = 3 * 2**octave
        noise = rng.normal(0, 0.55**octave, (cells, cells, 3)).astype(np.float32)
        total += cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
    total = 128 + 42 * (total - total.mean()) / total.std()
    picture = np.clip(total, 0, 255).astype(np.uint8)
    picture.flags.writeable = False
    return picture


DRAWN: dict[str, Callable[..., RGB]] = {"shapes": shapes, "clouds": clouds}


@cache
def marked(kind: str, height: int, width: int) -> RGB:
    """A drawn picture with MARK_ID in it. Read-only, since tests share it."""
    picture = watermarker().embed(DRAWN[kind](height, width), MARK_ID).rgb_HWC
    picture.flags.writeable = False
    return picture


def psnr(one: RGB, other: RGB) -> float:
    """Peak signal-to-noise ratio in dB."""
    return float(20 * np.log10(255 / np.sqrt(np.mean((one.astype(float) - other) ** 2))))


def encoded(rgb_HWC: RGB, media: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(rgb_HWC).save(buffer, media, **options)
    return buffer.getvalue()


def decoded(data: bytes) -> RGB:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def saved_as(rgb_HWC: RGB, media: str, quality: int) -> RGB:
    return decoded(encoded(rgb_HWC, media, quality=quality))


def resized(rgb_HWC: RGB, factor: float) -> RGB:
    size = (round(rgb_HWC.shape[1] * factor), round(rgb_HWC.shape[0] * factor))
    return np.asarray(cv2.resize(rgb_HWC, size, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC))


def cropped(rgb_HWC: RGB, share: float) -> RGB:
    """So much of each side is cut away, two thirds of it at the top and left."""
    height, width = rgb_HWC.shape[:2]
    top, left = int(height * share * 2 / 3), int(width * share * 2 / 3)
    return rgb_HWC[top : top + int(height * (1 - share)), left : left + int(width * (1 - share))]


_REF = PictureRef(sha256="5c" * 32, width=128, height=128)
_DRAWN: dict[str, Any] = {"image": _REF, "strength": 0.6, "steps": 12}
_PART: dict[str, Any] = {**_DRAWN, "masked_content": "original", "feather": 4}

STARTS: dict[Task, Start] = {
    "text_to_image": FromNoise(),
    "image_to_image": FromImage(**_DRAWN),
    "inpaint": FromMask(**_PART, mask=_REF, seen=Box(left=0, top=0, width=128, height=128)),
    "outpaint": FromInside(**_PART, left=0, top=0),
}


def facts_of(task: Task, *inputs: Input, **changed: Any) -> Facts:
    """Of a picture of this task, made from `inputs`: of a bare parent by default, where the task begins with one."""
    given = inputs or (() if task == "text_to_image" else (Input("parentOf", _REF.sha256),))
    return replace(facts(task=task, start=STARTS[task], **changed), inputs=given)


def facts(job_id: str = "01JOB", index: int = 0, **changed: Any) -> Facts:
    """Of a picture of one test job. Fields of the plan are changed by name."""
    settled = plan(**{"prompt": "a canary in a coal mine", "negative_prompt": "gas", **changed})
    return Facts(
        job_id=job_id,
        index=index,
        tenant="ann-the-tenant",
        plan=settled,
        seed=settled.seeds[0] + index,
        created_at=1_800_000_000.0,
        versions={"torch": "2.12.0"},
    )
