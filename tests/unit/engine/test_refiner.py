"""Works of a base and a refiner: two models, two lanes, and leases on both from the beginning."""

import threading
from collections.abc import Sequence
from typing import Any

import pytest
import torch

from darkroom.errors import BrokenWeights
from tests.unit.engine.canvases import mask, repainted, with_seeds
from tests.unit.engine.latents import denoise_alone, denoise_together, relative
from tests.unit.engine.metering import Pass, Passes
from tests.unit.engine.networks import still_checkpoint
from tests.unit.engine.staged import enlarged, polishing, refined, with_refiner
from tests.unit.engine.works import Recorder, cache_of, finish, make_work
from worker.engine import Engine, Work
from worker.models.cache import ModelCache
from worker.models.checkpoint import Checkpoint

POLISH = "polish"


def mixture(**fields: Any) -> list[Work]:
    return [
        refined("a", 0.5, scheduler="euler_a", steps=4, **fields),
        make_work("b", scheduler="ddim", steps=5, **fields),
        refined("c", 0.7, scheduler="dpmpp_2m", steps=3, guidance_scale=1.0, seeds=(5, 6), **fields),
        with_refiner(repainted("d", 0.8, steps=5, **fields), 0.5),
    ]


@pytest.mark.slow
def test_refined_works_share_passes_and_equal_their_solo_runs(xl: Checkpoint, refiner: Checkpoint) -> None:
    works, others = mixture(), [polishing(refiner)]
    alone = [denoise_alone(xl, work, others=others) for work in works]

    together = denoise_together(xl, works, every=1, others=others)

    assert max(relative(found, expected) for found, expected in zip(together, alone, strict=True)) <= 1e-5


@pytest.mark.slow
def test_refined_deterministic_works_have_the_same_bits_under_any_load(xl: Checkpoint, refiner: Checkpoint) -> None:
    works, others = mixture(deterministic=True), [polishing(refiner)]
    alone = [denoise_alone(xl, work, others=others) for work in works]

    crowded = denoise_together(xl, [*works, *mixture()], every=1, others=others)[: len(works)]

    assert all(torch.equal(found, expected) for found, expected in zip(crowded, alone, strict=True))


@pytest.mark.slow
def test_image_i_is_the_one_of_its_seed_alone(xl: Checkpoint, refiner: Checkpoint) -> None:
    work, others = refined(scheduler="euler_a", steps=5, deterministic=True), [polishing(refiner)]
    alone = torch.cat([denoise_alone(xl, with_seeds(work, seed), others=others) for seed in (5, 6)])

    assert torch.equal(denoise_alone(xl, with_seeds(work, 5, 6), others=others), alone)


def test_what_is_not_masked_stays_held_in_the_refiners_steps(xl: Checkpoint, refiner: Checkpoint) -> None:
    work = repainted(strength=1.0, steps=4, scheduler="ddim")
    kept_HW = torch.from_numpy(~mask()[::8, ::8])

    by_both_1CHW = denoise_alone(xl, with_refiner(work, 0.5), others=[polishing(refiner)])
    alone_1CHW = denoise_alone(xl, work)

    assert torch.equal(by_both_1CHW[..., kept_HW], alone_1CHW[..., kept_HW])
    assert relative(by_both_1CHW[..., ~kept_HW], alone_1CHW[..., ~kept_HW]) > 1e-3


def engine_of(
    *names: str, budget_bytes: int = 1000, told: list[Pass] | None = None
) -> tuple[Engine, Recorder, ModelCache]:
    recorder = Recorder()
    cache = cache_of(*(still_checkpoint(name, size=40) for name in names), budget_bytes=budget_bytes)
    return Engine(cache, recorder, meter=Passes(told)), recorder, cache


def test_each_model_makes_its_part_of_the_passes() -> None:
    told: list[Pass] = []
    engine, recorder, cache = engine_of("model", POLISH, told=told)
    engine.admit(refined(switch_at=0.5, steps=4))
    finish(engine)
    engine.close()

    assert [each.model for each in told] == ["model", "model", POLISH, POLISH]
    assert recorder.steps["job"][-1] == (4, 4)
    cache.evict_idle()
    assert cache.resident() == ()


def test_both_models_are_there_before_the_first_step() -> None:
    go_on = threading.Event()

    def load(name: str) -> Checkpoint:
        assert name != POLISH or go_on.wait(10)
        return still_checkpoint(name)

    recorder = Recorder()
    engine = Engine(ModelCache(load, lambda name: 1, 1000), recorder)
    engine.admit(refined())
    for _ in range(4):
        engine.step()
    assert recorder.steps == {}
    go_on.set()
    finish(engine)
    engine.close()
    assert recorder.ended == ["job"]


@pytest.mark.parametrize("order", [("ab", "ba"), ("ba", "ab"), ("ab", "bc", "ca")])
def test_works_that_want_the_same_models_never_wait_for_each_other(order: Sequence[str]) -> None:
    """Memory holds two models: each work gets both of its own, in turn."""
    engine, recorder, _ = engine_of("a", "b", "c", budget_bytes=100)
    for pair in order:
        work = refined(pair, model=pair[0])
        stage = work.plan.later_stages[0].model_copy(update={"model": pair[1]})
        engine.admit(Work(pair, 1, work.plan.model_copy(update={"later_stages": (stage,)})))
    finish(engine)
    engine.close()

    assert recorder.failures == {}
    assert sorted(recorder.ended) == sorted(order)


def test_two_models_that_never_fit_together_fail_their_work_at_once() -> None:
    engine, recorder, _ = engine_of("model", POLISH, budget_bytes=79)
    engine.admit(refined("both"))
    engine.admit(make_work("one"))
    finish(engine)
    engine.close()

    assert recorder.failures["both"].code == "out_of_memory"
    assert list(recorder.images) == ["one"]


def test_a_refiner_that_was_replaced_is_refused() -> None:
    engine, recorder, cache = engine_of("model", POLISH)
    work = refined("job")
    stage = work.plan.later_stages[0].model_copy(update={"weights": {"unet/old.safetensors": "0" * 64}})
    engine.admit(Work("job", 1, work.plan.model_copy(update={"later_stages": (stage,)})))
    finish(engine)
    engine.close()

    assert isinstance(recorder.failures["job"], BrokenWeights)
    cache.evict_idle()
    assert cache.resident() == ()


def test_a_refiner_of_other_noise_levels_is_refused(xl: Checkpoint, refiner: Checkpoint) -> None:
    config = {**refiner.scheduler_config, "num_train_timesteps": 900}
    other = polishing(refiner)
    object.__setattr__(other, "scheduler_config", config)

    with pytest.raises(BrokenWeights, match="noise levels"):
        denoise_alone(xl, refined(scheduler="ddim"), others=[other])


def test_a_refined_work_can_be_canceled_in_either_stage() -> None:
    for steps in (1, 3):
        engine, recorder, cache = engine_of("model", POLISH)
        engine.admit(refined(switch_at=0.5, steps=4))
        while len(recorder.steps.get("job", ())) < steps:
            engine.step()
        engine.cancel("job")
        finish(engine)
        engine.close()
        assert recorder.ended == recorder.canceled == ["job"]
        cache.evict_idle()
        assert cache.resident() == ()


def test_hires_and_refined_works_run_side_by_side() -> None:
    engine, recorder, _ = engine_of("model", POLISH)
    engine.admit(refined("refined"))
    engine.admit(enlarged("enlarged"))
    finish(engine)
    engine.close()
    assert sorted(recorder.images) == ["enlarged", "refined"]
