"""Works that begin with pictures, in the same lanes as all others."""

import weakref
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from torch import Tensor

from darkroom.contract.plan import PlannedLora
from darkroom.contract.start import FromMask
from darkroom.errors import GenerationError, NanOutput, OutOfMemory
from tests.unit.engine.canvases import as_picture, expanded, mask, picture, redrawn, repainted, with_seeds
from tests.unit.engine.latents import denoise_alone, denoise_together, relative
from tests.unit.engine.networks import Grey, still_checkpoint, watch
from tests.unit.engine.works import Recorder, cache_of, develop, finish, make_plan, make_work
from worker.engine import Engine, Work
from worker.engine.encode import Nothing, Whole, encode
from worker.engine.schedulers import KINDS
from worker.engine.vae import Circumstances
from worker.models.checkpoint import Checkpoint
from worker.models.lora import Lora
from worker.models.lora_cache import LoraCache
from worker.pictures import prepare

CONTENTS = ("fill", "original", "latent_noise", "latent_nothing")


def mixture(count: int, **fields: Any) -> list[Work]:
    """Works of every task with every scheduler, so that all differ."""
    names = list(KINDS)
    return [
        work_of(index, scheduler=names[index % len(names)], steps=3 + index % 3, seeds=(index,), **fields)
        for index in range(count)
    ]


def work_of(index: int, **fields: Any) -> Work:
    match index % 5:
        case 0:
            return make_work(f"words{index}", **fields)
        case 1:
            return redrawn(f"redrawn{index}", 0.7, **fields)
        case 2:
            return repainted(f"repainted{index}", 0.8, CONTENTS[index // 5 % 4], **fields)
        case 3:
            return expanded(f"expanded{index}", **fields)
    return repainted(f"unguided{index}", 1.0, guidance_scale=1.0, **fields)


@pytest.mark.parametrize("every", [pytest.param(0, marks=pytest.mark.slow), 1])
def test_all_tasks_share_passes_and_none_changes_another(epsilon: Checkpoint, every: int) -> None:
    works = mixture(10)
    alone = [denoise_alone(epsilon, work) for work in works]
    watched, unet = watch(epsilon)

    together = denoise_together(watched, works, every=every)

    assert max(relative(found, expected) for found, expected in zip(together, alone, strict=True)) <= 1e-5
    assert max(unet.passes) > 4


@pytest.mark.slow
def test_rows_that_tell_the_network_of_the_mask_share_passes_too(inpainting: Checkpoint) -> None:
    works = [repainted(f"p{index}", (0.5, 1.0)[index % 2], content) for index, content in enumerate(CONTENTS * 2)]
    works[3] = expanded("e")
    alone = [denoise_alone(inpainting, work) for work in works]

    together = denoise_together(inpainting, works, every=1)

    assert max(relative(found, expected) for found, expected in zip(together, alone, strict=True)) <= 1e-5


@pytest.mark.slow
def test_deterministic_works_have_the_same_bits_under_any_load(epsilon: Checkpoint) -> None:
    works = mixture(5, deterministic=True)
    alone = [denoise_alone(epsilon, work) for work in works]

    crowded = denoise_together(epsilon, [*works, *mixture(5)], every=1)[:5]

    assert all(torch.equal(found, expected) for found, expected in zip(crowded, alone, strict=True))


@pytest.mark.parametrize("make", [redrawn, repainted, expanded])
def test_image_i_is_the_one_of_its_seed_alone(epsilon: Checkpoint, make: Callable[..., Work]) -> None:
    work = make(scheduler="euler_a", deterministic=True)
    alone = torch.cat([denoise_alone(epsilon, with_seeds(work, seed)) for seed in (5, 6, 7)])

    assert torch.equal(denoise_alone(epsilon, with_seeds(work, 5, 6, 7)), alone)


@pytest.mark.parametrize("model", ["epsilon", "inpainting"])
@pytest.mark.parametrize("feather", [0, 4])
@pytest.mark.parametrize("content", CONTENTS)
def test_no_unmasked_pixel_changes(request: pytest.FixtureRequest, model: str, content: str, feather: int) -> None:
    checkpoint: Checkpoint = request.getfixturevalue(model)
    blob = np.random.default_rng(3).random((8, 8)) < 0.4
    mask_HW = np.kron(blob, np.ones((8, 8), np.bool_))
    mask_HW[5:7, 9:30] = True
    work = repainted(strength=0.8, content=content, mask_HW=mask_HW, feather=feather, steps=2)

    made = develop(checkpoint, [work]).images["job"][0]

    finished = work.canvas.finished(made)
    assert np.array_equal(finished[~mask_HW], picture()[~mask_HW])
    assert not np.array_equal(finished[mask_HW], picture()[mask_HW])
    assert (made[~mask_HW] != picture()[~mask_HW]).mean() > 0.5, "without the overlay they would have changed"


def test_only_the_seen_part_of_a_large_picture_changes(epsilon: Checkpoint) -> None:
    image, mask_HW = picture(300), mask(300, (slice(100, 120), slice(150, 160)))
    start = repainted(steps=2).plan.start
    assert isinstance(start, FromMask)
    seen = start.seen.model_copy(update={"left": 130, "top": 90, "width": 50, "height": 50})
    plan = make_plan(task="inpaint", steps=2, start=start.model_copy(update={"seen": seen}))
    work = Work("job", 1, plan, prepare.masked(plan, image, as_picture(mask_HW)))

    finished = work.canvas.finished(develop(epsilon, [work]).images["job"][0])

    assert finished.shape == (300, 300, 3)
    assert np.array_equal(finished[~mask_HW], image[~mask_HW])
    assert not np.array_equal(finished[mask_HW], image[mask_HW])


def test_progress_counts_the_steps_that_are_computed(epsilon: Checkpoint) -> None:
    told = develop(epsilon, [redrawn(strength=0.5, steps=10, seeds=(1, 2))])

    assert told.steps["job"][0] == (2, 10)
    assert told.steps["job"][-1] == (10, 10)


@pytest.mark.slow
def test_less_strength_stays_nearer_to_the_picture(embedded: Checkpoint) -> None:
    side = embedded.spec.native_width
    fields = {"model": "tiny", "width": side, "height": side, "steps": 10}
    far, near = (
        develop(embedded, [redrawn(strength=strength, **fields)]).images["job"][0].astype(int)
        for strength in (0.9, 0.2)
    )

    assert np.abs(near - picture(side)).mean() < np.abs(far - picture(side)).mean()


# --- faults ----------------------------------------------------------------------------------------------------------


class Distribution(NamedTuple):
    mean: Tensor
    std: Tensor


class Encoding(NamedTuple):
    latent_dist: Distribution


class Blurred(Grey):
    """A VAE whose encoder yields `value` by dtype, and lacks memory for the first `short` calls."""

    def __init__(self, value: dict[torch.dtype, float], short: int = 0) -> None:
        super().__init__()
        self.encodings: list[torch.dtype] = []
        self._value, self._short = value, short

    def encode(self, pixels_13HW: Tensor) -> Encoding:
        self.encodings.append(self._dtype)
        if len(self.encodings) <= self._short:
            raise torch.OutOfMemoryError("CUDA out of memory")
        side = pixels_13HW.shape[2] // 8
        latents_1CHW = torch.full((1, 4, side, side), self._value.get(self._dtype, 0.0))
        return Encoding(Distribution(latents_1CHW, latents_1CHW))


def test_what_overflows_in_half_precision_is_encoded_once_more_in_full() -> None:
    vae = Blurred({torch.float16: float("nan"), torch.float32: 0.5})
    checkpoint = replace(still_checkpoint(vae=vae), dtype=torch.float16)

    encoded = encode(checkpoint, redrawn().canvas)

    assert isinstance(encoded, Whole)
    assert (encoded.image.mean_1CHW == 0.5).all()
    assert vae.encodings == [torch.float16, torch.float32]


def test_latents_that_are_no_numbers_fail_their_job_alone() -> None:
    checkpoint = still_checkpoint(vae=Blurred({torch.float32: float("inf")}))

    told = develop(checkpoint, [redrawn("bad"), make_work("good")])

    assert isinstance(told.failures["bad"], NanOutput)
    assert list(told.images) == ["good"]


def test_the_loras_of_a_work_whose_picture_cannot_be_encoded_are_let_go() -> None:
    checkpoint = still_checkpoint(vae=Blurred({torch.float32: float("inf")}))
    worn, told = PlannedLora(model="a", sha256="a" * 64, weight=1.0), Recorder()
    loras = LoraCache(lambda wanted: Lora(wanted.sha256, {}, 1), 100)
    engine = Engine(cache_of(checkpoint), told, loras=loras)
    held = weakref.ref(loras.fetch(worn).result(10))
    engine.admit(redrawn("bad", loras=(worn,)))
    finish(engine)
    engine.close()

    assert isinstance(told.failures["bad"], NanOutput)
    loras.evict()
    assert held() is None


def test_short_memory_is_freed_then_worked_in_tiles_and_then_given_up() -> None:
    freed: list[bool] = []
    tiled = Blurred({}, short=1)
    encode(still_checkpoint(vae=tiled), redrawn().canvas, Circumstances(lambda: freed.append(True)))
    assert (freed, tiled.tilings) == ([True], [True, False])

    told = develop(still_checkpoint(vae=Blurred({}, short=2)), [redrawn("bad"), make_work("good")])
    assert isinstance(told.failures["bad"], OutOfMemory)
    assert list(told.images) == ["good"]


def test_a_picture_that_was_forgotten_is_not_made_up_for_with_noise(epsilon: Checkpoint) -> None:
    told = develop(epsilon, [replace(redrawn("bad"), canvas=make_work().canvas), make_work("good")])

    assert type(told.failures["bad"]) is GenerationError
    assert list(told.images) == ["good"]


def test_a_broken_device_ends_the_engine_while_encoding() -> None:
    class Broken(Blurred):
        def encode(self, pixels_13HW: Tensor) -> Encoding:
            raise torch.AcceleratorError("CUDA error: an illegal memory access")

    with pytest.raises(torch.AcceleratorError):
        develop(still_checkpoint(vae=Broken({})), [redrawn()])


def test_one_canvas_is_encoded_between_steps_and_those_in_line_can_be_canceled() -> None:
    vae = Blurred({})
    recorder = Recorder()
    cache = cache_of(still_checkpoint(vae=vae))
    engine = Engine(cache, recorder)
    for name in ("first", "second", "third"):
        engine.admit(redrawn(name, steps=20, strength=1.0))
    while not vae.encodings:
        engine.step()
    engine.cancel("third")
    engine.step()
    assert recorder.canceled == ["third"]
    finish(engine)
    engine.close()

    assert len(vae.encodings) == 2
    assert set(recorder.images) == {"first", "second"}
    cache.evict_idle()
    assert cache.resident() == (), "every lease was given back"


def test_words_are_not_encoded_as_pictures(epsilon: Checkpoint) -> None:
    assert isinstance(encode(epsilon, make_work().canvas), Nothing)
