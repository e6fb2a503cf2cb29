"""Tables give what the schedulers they were read from give."""

from typing import Any

import pytest
import torch
from torch import Tensor

from tests.unit.engine.checkpoints import BETAS
from tests.unit.engine.latents import relative
from worker.engine.course import Course, SchedulerCourse, TableCourse, set_out
from worker.engine.probe import table
from worker.engine.schedulers import KINDS, SPACINGS, make_scheduler
from worker.engine.stepping import add_up

CONFIG: dict[str, Any] = {
    **BETAS,
    "_class_name": "DDIMScheduler",
    "prediction_type": "epsilon",
    "clip_sample": False,
    "set_alpha_to_one": False,
    "steps_offset": 1,
}
SECOND_ORDER = ("heun", "dpm2")
UNSPACED = [name for name in KINDS if not name.endswith(tuple(SPACINGS))]


def run(course: Course, seed: int = 0) -> Tensor:
    """Latents at the end of `course`, by a "network" that answers with noise of its own."""
    dice = torch.Generator().manual_seed(seed)
    latents_1CHW = torch.randn(1, 4, 6, 5, generator=dice) * course.init_noise_sigma
    for step in range(len(course.timesteps)):
        prediction_1CHW = torch.randn(latents_1CHW.shape, generator=dice) + 0.1 * course.scaled(step, latents_1CHW)
        (latents_1CHW,) = add_up([course.move(step, latents_1CHW, prediction_1CHW)])
    return latents_1CHW


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(5)


@pytest.mark.slow
@pytest.mark.parametrize("prediction_type", ["epsilon", pytest.param("v_prediction", marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", KINDS)
def test_a_table_ends_where_its_scheduler_ends(name: str, prediction_type: str) -> None:
    config = {**CONFIG, "prediction_type": prediction_type}
    by_table = set_out(name, config, 12, generator())
    by_scheduler = SchedulerCourse(make_scheduler(name, config, 12), generator(), 0)

    assert isinstance(by_table, TableCourse)
    assert by_table.timesteps == by_scheduler.timesteps
    assert by_table.init_noise_sigma == by_scheduler.init_noise_sigma
    assert relative(run(by_table), run(by_scheduler)) <= 1e-5


@pytest.mark.parametrize("name", UNSPACED)
def test_a_run_may_begin_at_a_later_step_with_nothing_remembered(name: str) -> None:
    begin = 4 * (2 if name.startswith(SECOND_ORDER) else 1)
    by_table = set_out(name, CONFIG, 9, generator(), begin)
    by_scheduler = SchedulerCourse(make_scheduler(name, CONFIG, 9), generator(), begin)

    assert isinstance(by_table, TableCourse)
    assert by_table.timesteps == by_scheduler.timesteps == set_out(name, CONFIG, 9, generator()).timesteps[begin:]
    assert relative(run(by_table), run(by_scheduler)) <= 1e-5


@pytest.mark.parametrize(
    ("name", "depth"), [("euler_a", 0), ("dpmpp_2m", 1), ("heun", 1), ("unipc", 2), ("dpmpp_3m", 2), ("pndm", 3)]
)
def test_a_table_asks_for_no_more_of_the_past_than_its_method_needs(name: str, depth: int) -> None:
    read = table(name, CONFIG, 20)

    assert read is not None
    assert read.depth == depth


def test_a_scheduler_that_is_no_weighted_sum_has_no_table() -> None:
    config = {**CONFIG, "thresholding": True}

    assert table("ddim", config, 8) is None
    course = set_out("ddim", config, 8, generator())
    assert isinstance(course, SchedulerCourse)
    assert torch.isfinite(run(course)).all()


def test_noise_is_drawn_also_where_it_has_no_weight() -> None:
    """An ancestral step draws at the end too, and whatever is drawn after it must come out the same."""
    ours, theirs = generator(), generator()

    run(set_out("euler_a", CONFIG, 3, ours))
    run(SchedulerCourse(make_scheduler("euler_a", CONFIG, 3), theirs, 0))

    assert torch.equal(ours.get_state(), theirs.get_state())


def test_a_table_is_read_once() -> None:
    assert table("unipc", CONFIG, 7) is table("unipc", dict(reversed(CONFIG.items())), 7)
    assert table("unipc", CONFIG, 7) is not table("unipc", {**CONFIG, "beta_end": 0.011}, 7)


def test_courses_of_one_table_share_no_history() -> None:
    alone = run(set_out("dpmpp_2m", CONFIG, 6, generator()))
    one, other = (set_out("dpmpp_2m", CONFIG, 6, generator()) for _ in range(2))

    run(one, seed=3)

    assert torch.equal(run(other), alone)
