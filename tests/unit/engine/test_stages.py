"""Works of several stages go from lane to lane, and all that holds of one stage holds of all."""

import random
from collections.abc import Sequence
from itertools import count
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from darkroom.errors import GenerationError, NanOutput, OutOfMemory
from tests.unit.engine.canvases import redrawn, with_seeds
from tests.unit.engine.latents import denoise_alone, denoise_together, relative
from tests.unit.engine.metering import Pass, Passes
from tests.unit.engine.networks import still_checkpoint, watch
from tests.unit.engine.staged import enlarged
from tests.unit.engine.test_pictures import Blurred
from tests.unit.engine.works import Recorder, cache_of, develop, finish, make_work
from worker.engine import Engine, Work, stage
from worker.engine.sample import Sample
from worker.engine.schedulers import KINDS
from worker.models.checkpoint import Checkpoint

LIGHT, ALL = ("ddim", "euler_a", "unipc"), tuple(KINDS)


def mixture(number: int, schedulers: Sequence[str] = LIGHT, **fields: Any) -> list[Work]:
    """Works of one stage and of two, small and large, so that each lane sees them arrive from everywhere."""
    dice = random.Random(number)
    return [
        work_of(
            index,
            scheduler=dice.choice(schedulers),
            steps=dice.choice([2, 3]),
            guidance_scale=dice.choice([1.0, 5.0]),
            seeds=tuple(range(10 * index, 10 * index + dice.choice([1, 2]))),
            **fields,
        )
        for index in range(number)
    ]


def work_of(index: int, **fields: Any) -> Work:
    match index % 4:
        case 0:
            return enlarged(f"latent{index}", upscaler="latent", **fields)
        case 1:
            return make_work(f"large{index}", width=128, height=128, **fields)
        case 2:
            return enlarged(f"lanczos{index}", upscaler="lanczos", **fields)
    return redrawn(f"redrawn{index}", **fields)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "schedulers", "every"),
    [(4, LIGHT, 1), pytest.param(12, ALL, 0, marks=pytest.mark.slow), pytest.param(12, ALL, 2, marks=pytest.mark.slow)],
)
def test_a_mixed_batch_of_all_stages_equals_solo_runs(
    epsilon: Checkpoint, number: int, schedulers: Sequence[str], every: int
) -> None:
    works = mixture(number, schedulers)
    alone = [denoise_alone(epsilon, work) for work in works]
    watched, unet = watch(epsilon)

    together = denoise_together(watched, works, every=every)

    assert max(relative(found, expected) for found, expected in zip(together, alone, strict=True)) <= 1e-5
    assert max(unet.passes) > 4


@pytest.mark.slow
def test_deterministic_works_of_two_stages_have_the_same_bits_under_any_load(epsilon: Checkpoint) -> None:
    works = mixture(5, ALL, deterministic=True)
    alone = [denoise_alone(epsilon, work) for work in works]

    crowded = denoise_together(epsilon, [*works, *mixture(4)], every=1)[: len(works)]
    backwards = denoise_together(epsilon, works[::-1])[::-1]

    assert all(torch.equal(found, expected) for found, expected in zip(crowded, alone, strict=True))
    assert all(torch.equal(found, expected) for found, expected in zip(backwards, alone, strict=True))


@pytest.mark.parametrize("upscaler", ["latent", "lanczos"])
def test_image_i_is_the_one_of_its_seed_alone(epsilon: Checkpoint, upscaler: str) -> None:
    work = enlarged(upscaler=upscaler, scheduler="euler_a", steps=2, strength=0.5, deterministic=True)
    alone = torch.cat([denoise_alone(epsilon, with_seeds(work, seed)) for seed in (5, 6)])

    assert torch.equal(denoise_alone(epsilon, with_seeds(work, 5, 6)), alone)


@pytest.mark.parametrize("upscaler", ["latent", "lanczos"])
def test_each_stage_runs_at_its_size_and_progress_counts_both(epsilon: Checkpoint, upscaler: str) -> None:
    sides: list[tuple[int, int]] = []
    checkpoint, _ = watch(epsilon, lambda latents, context: sides.append(latents.shape[2:]))

    told = develop(checkpoint, [enlarged(steps=4, strength=0.5, upscaler=upscaler, seeds=(1, 2))])

    assert sides[:4] == [(8, 8)] * 4
    assert set(sides[4:]) == {(16, 16)}
    assert [step for step, _ in told.steps["job"]][-1] == 12
    assert {steps for _, steps in told.steps["job"]} == {12}
    assert [told.images["job"][index].shape for index in (0, 1)] == [(128, 128, 3)] * 2


def test_pictures_that_go_on_hold_the_others_up_by_one_vae_operation_of_a_kind_between_steps() -> None:
    vae = Blurred({})
    recorder = Recorder()
    engine = Engine(cache_of(still_checkpoint(vae=vae)), recorder)
    engine.admit(enlarged("staged", upscaler="lanczos", steps=2, seeds=(1, 2, 3)))
    engine.admit(make_work("long", steps=20))
    most = 0
    for _ in range(60):
        before = len(vae.dtypes), len(vae.encodings)
        engine.step()
        most = max(most, len(vae.dtypes) - before[0], len(vae.encodings) - before[1])
    engine.close()

    assert recorder.failures == {}
    assert len(recorder.images["staged"]) == 3
    assert (len(vae.dtypes), len(vae.encodings), most) == (3 + 3 + 1, 3, 1)


@pytest.mark.parametrize("upscaler", ["latent", "lanczos"])
@pytest.mark.parametrize("steps_before", range(1, 6))
def test_a_work_can_be_canceled_anywhere_on_its_way(steps_before: int, upscaler: str) -> None:
    recorder = Recorder()
    cache = cache_of(still_checkpoint(vae=Blurred({})))
    engine = Engine(cache, recorder)
    engine.admit(enlarged(upscaler=upscaler, steps=2, strength=1.0, seeds=(1, 2)))
    engine.admit(make_work("stays", steps=9))
    for _ in range(steps_before):
        engine.step()

    engine.cancel("job")
    finish(engine)
    engine.close()

    assert recorder.canceled == ["job"]
    assert sorted(recorder.ended) == ["job", "stays"]
    assert engine.in_flight() == ()
    cache.evict_idle()
    assert cache.resident() == ()


def test_a_second_stage_that_cannot_begin_fails_its_job_alone(
    epsilon: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = Sample.begin

    def breaks(sample: Sample, encoded: object) -> None:
        if sample.step:
            raise IndexError("secret words")
        original(sample, encoded)  # type: ignore[arg-type]

    monkeypatch.setattr(Sample, "begin", breaks)
    told = develop(epsilon, [enlarged("bad", seeds=(1, 2), steps=2), make_work("good", steps=6)])

    assert type(told.failures["bad"]) is GenerationError
    assert "secret" not in told.failures["bad"].detail
    assert told.ended == ["bad", "good"]


def short_of_memory(monkeypatch: pytest.MonkeyPatch, times: int) -> None:
    """Latents find no memory to be enlarged in, so many times."""
    left = iter(range(times))

    def enlarging(*given: Any, **options: Any) -> Tensor:
        if next(left, None) is not None:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return torch.nn.functional.interpolate(*given, **options)

    monkeypatch.setattr(stage, "interpolate", enlarging)


def test_latents_that_find_no_memory_to_be_enlarged_in_fail_their_job_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    short_of_memory(monkeypatch, times=100)
    told = develop(still_checkpoint(), [enlarged("bad", steps=2), make_work("good", steps=6)])

    assert isinstance(told.failures["bad"], OutOfMemory)
    assert told.ended == ["bad", "good"]


def test_latents_are_enlarged_once_idle_models_have_made_room(monkeypatch: pytest.MonkeyPatch) -> None:
    short_of_memory(monkeypatch, times=1)
    cache = cache_of(still_checkpoint(), still_checkpoint("idle"))
    cache.lease("idle").release()
    recorder = Recorder()
    engine = Engine(cache, recorder)
    engine.admit(enlarged(steps=2))
    finish(engine)
    engine.close()

    assert (recorder.failures, recorder.ended) == ({}, ["job"])
    assert cache.resident() == ("model",)


def test_no_image_is_decoded_for_a_job_that_failed_on_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    short_of_memory(monkeypatch, times=2)
    vae = Blurred({})
    recorder = Recorder()
    engine = Engine(cache_of(still_checkpoint(vae=vae)), recorder)
    engine.admit(enlarged("bad", steps=2, seeds=(1, 2, 3, 4)))
    finish(engine)
    engine.close()

    assert list(recorder.failures) == ["bad"]
    assert engine.in_flight() == ()
    assert vae.dtypes == []


def test_a_first_stage_of_values_that_are_no_numbers_fails_as_nan_output(epsilon: Checkpoint) -> None:
    def before(latents_RCHW: Tensor, context_RTC: Tensor) -> None:
        latents_RCHW.fill_(torch.nan)

    broken = watch(epsilon, before)[0]
    told = develop(broken, [enlarged("a", upscaler="latent"), enlarged("b", upscaler="lanczos")])

    assert {job: type(error) for job, error in told.failures.items()} == {"a": NanOutput, "b": NanOutput}


def test_a_work_pays_for_its_rows_in_both_lanes_and_for_both_pictures() -> None:
    ticks = count()
    recorder = Recorder()
    engine = Engine(cache_of(still_checkpoint()), recorder, clock=lambda: float(next(ticks)))
    engine.admit(enlarged("staged", steps=4, strength=0.5))
    engine.admit(make_work("plain", steps=4, guidance_scale=1.0))

    finish(engine)
    engine.close()

    # Each clock reading is a second after the last: four steps of three rows, two alone, one decoding each.
    assert recorder.seconds["staged"] == pytest.approx(4 * 2 / 3 + 2 + 1)
    assert recorder.seconds["plain"] == pytest.approx(4 * 1 / 3 + 1)


def test_passes_are_told_with_the_model_and_rows_of_their_stage() -> None:
    told: list[Pass] = []
    engine = Engine(cache_of(still_checkpoint()), Recorder(), meter=Passes(told))
    engine.admit(enlarged(steps=2, strength=0.5, seeds=(1, 2)))
    finish(engine)
    engine.close()
    assert [(each.model, each.rows) for each in told] == [("model", 4)] * 3


def test_pictures_of_the_second_stage_do_not_wait_for_ever_behind_a_crowd_of_the_first() -> None:
    recorder = Recorder()
    seconds = iter(range(10**9))
    engine = Engine(cache_of(still_checkpoint()), recorder, clock=lambda: float(next(seconds)))
    engine.admit(enlarged("staged", steps=4, strength=1.0))
    steps = 0
    while "staged" not in recorder.ended:
        if engine.room():
            engine.admit(make_work(f"crowd{steps}", steps=2))
        engine.step()
        steps += 1
        assert steps <= 40
    finish(engine)
    engine.close()


@pytest.mark.slow
@pytest.mark.parametrize("upscaler", ["latent", "lanczos"])
def test_what_the_first_stage_drew_is_what_is_seen_enlarged(embedded: Checkpoint, upscaler: str) -> None:
    side = embedded.spec.native_width
    fields = {"model": "tiny", "width": side, "height": side, "steps": 10, "prompt": "a red circle"}
    small = develop(embedded, [make_work(**fields)]).images["job"][0].astype(float)

    large = develop(embedded, [enlarged(upscaler=upscaler, strength=0.3, **fields)]).images["job"][0]

    shrunk = large.reshape(side, 2, side, 2, 3).mean(axis=(1, 3))
    other = develop(embedded, [make_work(**{**fields, "seeds": (2,)})]).images["job"][0].astype(float)
    assert np.abs(shrunk - small).mean() < np.abs(other - small).mean()
