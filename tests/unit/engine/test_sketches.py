"""Sketches of pictures on their way: of whom, how often, of what, and that nothing else changes by them."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch
from PIL import Image
from structlog.testing import capture_logs

from tests.unit.engine.canvases import expanded, redrawn, repainted
from tests.unit.engine.staged import enlarged, polishing, refined
from tests.unit.engine.works import Recorder, cache_of, finish, make_work
from worker.engine import Engine, Work
from worker.models.checkpoint import Checkpoint
from worker.models.palette import Palette, fit_palette


class Clock:
    """Seconds; each step of an engine that is run by `steps` takes one tenth."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@cache
def with_palette(checkpoint: Checkpoint) -> Checkpoint:
    return replace(checkpoint, palette=fit_palette(checkpoint.vae))


def watched(work: Work) -> Work:
    return replace(work, plan=work.plan.model_copy(update={"previews": True}))


def engine_of(*checkpoints: Checkpoint, clock: Clock | None = None) -> tuple[Engine, Recorder]:
    """One that sketches at every step, or by `clock`."""
    recorder = Recorder()
    engine = Engine(cache_of(*map(with_palette, checkpoints)), recorder)
    engine.sketching.interval = 0.0 if clock is None else 0.5
    engine.sketching._clock = clock or engine.sketching._clock
    return engine, recorder


def run(engine: Engine, *works: Work, clock: Clock | None = None) -> None:
    for work in works:
        engine.admit(work)
    if clock is None:
        finish(engine)
    else:
        while engine.step():
            clock.now += 0.1
    engine.close()


def indices(recorder: Recorder, job_id: str = "job") -> list[int]:
    return [index for index, _ in recorder.previews.get(job_id, [])]


QUICK = ("ancestral", "mask", "hires")
WORKS: dict[str, Callable[[], Work]] = {
    "noise": make_work,
    "ancestral": lambda: make_work(scheduler="euler_a", seeds=(1, 2)),
    "deterministic": lambda: make_work(deterministic=True),
    "two passes a step": lambda: make_work(scheduler="heun"),
    "no guidance": lambda: make_work(guidance_scale=1.0),
    "picture": redrawn,
    "mask": repainted,
    "outpainting": expanded,
    "hires": lambda: enlarged(steps=3),
    "hires in pixels": lambda: enlarged(steps=3, upscaler="lanczos"),
}


@pytest.mark.parametrize(
    "kind", [kind if kind in QUICK else pytest.param(kind, marks=pytest.mark.slow) for kind in WORKS]
)
def test_a_picture_is_the_same_to_the_last_bit_with_sketches_and_without(epsilon: Checkpoint, kind: str) -> None:
    plain, expected = engine_of(epsilon)
    run(plain, WORKS[kind]())
    engine, recorder = engine_of(epsilon)
    work = watched(WORKS[kind]())
    run(engine, work)
    assert expected.previews == {}
    assert len(recorder.previews["job"]) >= len(recorder.steps["job"]) / len(work.plan.seeds)
    for index, picture in expected.images["job"].items():
        assert np.array_equal(recorder.images["job"][index], picture)


@pytest.mark.parametrize("network", ["velocity", "inpainting", pytest.param("xl", marks=pytest.mark.slow)])
def test_networks_of_all_kinds_are_sketched(request: pytest.FixtureRequest, network: str) -> None:
    engine, recorder = engine_of(request.getfixturevalue(network))
    run(engine, watched(repainted() if network == "inpainting" else make_work()))
    sketches = [rgb_HWC for _, rgb_HWC in recorder.previews["job"]]
    assert len(sketches) == len(recorder.steps["job"])
    assert {(rgb_HWC.shape, str(rgb_HWC.dtype)) for rgb_HWC in sketches} == {((8, 8, 3), "uint8")}


def test_a_refiner_goes_on_with_the_sketches_of_its_base(xl: Checkpoint, refiner: Checkpoint) -> None:
    engine, recorder = engine_of(xl, polishing(refiner))
    run(engine, watched(refined(switch_at=0.5)))
    assert len(recorder.previews["job"]) == len(recorder.steps["job"])


def test_a_second_stage_is_sketched_at_its_own_size(epsilon: Checkpoint) -> None:
    engine, recorder = engine_of(epsilon)
    run(engine, watched(enlarged(steps=3)))
    sizes = [rgb_HWC.shape[0] for _, rgb_HWC in recorder.previews["job"]]
    assert (sizes[0], sizes[-1]) == (8, 16)
    assert sizes == sorted(sizes)


def test_only_who_asks_is_sketched(epsilon: Checkpoint) -> None:
    engine, recorder = engine_of(epsilon)
    run(engine, make_work("plain"), watched(make_work("watched")))
    assert set(recorder.previews) == {"watched"}


def test_a_work_is_sketched_at_most_twice_a_second(epsilon: Checkpoint) -> None:
    clock = Clock()
    engine, recorder = engine_of(epsilon, clock=clock)
    run(engine, watched(make_work(steps=20)), clock=clock)
    assert len(recorder.steps["job"]) == 20
    assert len(recorder.previews["job"]) in (4, 5), "two seconds of it"


def test_the_images_of_a_work_take_turns(epsilon: Checkpoint) -> None:
    engine, recorder = engine_of(epsilon)
    run(engine, watched(make_work(seeds=(1, 2, 3), steps=4)))
    assert indices(recorder) == [0, 1, 2, 0]


def test_without_a_palette_there_are_none(epsilon: Checkpoint) -> None:
    recorder = Recorder()
    engine = Engine(cache_of(epsilon), recorder)
    run(engine, watched(make_work()))
    assert (recorder.previews, recorder.ended) == ({}, ["job"])


def test_a_sketch_that_fails_costs_a_line_in_the_log_and_nothing_else(epsilon: Checkpoint) -> None:
    broken = Palette(torch.zeros(3, 7, 3, 3), torch.zeros(3))
    recorder = Recorder()
    engine = Engine(cache_of(replace(epsilon, palette=broken)), recorder)
    engine.sketching.interval = 0.0
    with capture_logs() as lines:
        run(engine, watched(make_work()), make_work("other"))
    assert sorted(recorder.images) == ["job", "other"]
    assert recorder.previews == {}
    failed = [line for line in lines if line["event"] == "sketch.failed"]
    assert [line["job_id"] for line in failed] == ["job"], "once a work"


def test_the_device_that_breaks_while_sketching_is_broken(epsilon: Checkpoint) -> None:
    class Broken:
        def paint(self, latents_1CHW: torch.Tensor) -> None:
            raise RuntimeError("CUDA error: an illegal memory access was encountered")

    recorder = Recorder()
    engine = Engine(cache_of(replace(epsilon, palette=Broken())), recorder)  # type: ignore[arg-type]
    engine.admit(watched(make_work()))
    with pytest.raises(RuntimeError, match="illegal memory access"):
        finish(engine)
    engine.close()


def test_numbers_that_are_none_make_no_sketch_fail(epsilon: Checkpoint) -> None:
    """Latents that went astray end their own job, and not here."""
    palette = fit_palette(epsilon.vae)
    painted = palette.paint(torch.full((1, 4, 8, 8), float("nan")))
    assert painted.shape == (8, 8, 3)


@pytest.mark.slow
def test_the_embedded_models_sketches_show_what_it_draws(embedded: Checkpoint) -> None:
    """How much of the variance of its pictures, made small, is told by sketches of the last step, and of the sixth."""
    engine, recorder = engine_of(replace(embedded, spec=embedded.spec.model_copy(update={"name": "model"})))
    grounds = {"red": "white", "blue": "black", "green": "yellow", "orange": "blue", "white": "red", "black": "green"}
    for colour, ground in grounds.items():
        prompt = f"a {colour} circle on a {ground} background"
        engine.admit(watched(make_work(colour, prompt=prompt, width=128, height=128, steps=12)))
    finish(engine)
    engine.close()
    pictures = [Image.fromarray(recorder.images[colour][0]) for colour in grounds]
    small = np.stack([np.asarray(one.resize((16, 16), Image.Resampling.BOX), np.float64) for one in pictures])
    spread = np.square(small - small.mean((0, 1, 2))).mean()
    for step, told in ((11, 0.85), (5, 0.75)):
        sketches = np.stack([recorder.previews[colour][step][1].astype(float) for colour in grounds])
        assert 1 - np.square(sketches - small).mean() / spread >= told, step
