"""What latents are on the way to, at any step of any scheduler."""

from typing import Any

import pytest
import torch
from torch import Tensor

from tests.unit.engine.checkpoints import BETAS
from worker.engine.course import SchedulerCourse
from worker.engine.estimate import Answer, finished, mixed
from worker.engine.mixing import mixtures
from worker.engine.schedulers import KINDS, make_scheduler

STEPS = 8
# These stop between two noise levels in every second pass, of which `add_noise` does not know.
HALF_STEPS = ("dpm2", "dpm2_karras")
QUICK = ("ddim", "euler", "dpmpp_2m_karras")
NAMES = [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in KINDS]


def drawn(seed: int) -> Tensor:
    return torch.randn(1, 4, 4, 4, generator=torch.Generator().manual_seed(seed))


def config_for(prediction_type: str, **changed: Any) -> dict[str, Any]:
    return {**BETAS, "prediction_type": prediction_type, "clip_sample": False, "steps_offset": 1, **changed}


def right_answer(prediction_type: str, picture: float, noise: float) -> Tensor:
    """Of a network that knows: what it was trained to say of drawn(0) mixed with drawn(1)."""
    size = (picture**2 + noise**2) ** 0.5
    velocity = (picture * drawn(1) - noise * drawn(0)) / size
    return {"epsilon": drawn(1), "v_prediction": velocity, "sample": drawn(0)}[prediction_type]


@pytest.mark.parametrize("prediction_type", ["epsilon", "v_prediction", "sample"])
@pytest.mark.parametrize("name", NAMES)
def test_a_network_that_knows_is_believed_at_every_noise_level(name: str, prediction_type: str) -> None:
    config = config_for(prediction_type)
    levels = mixtures(name, config, STEPS, 0)
    for begin in range(0, len(levels), 2 if name in HALF_STEPS else 1):
        level = levels[begin]
        course = SchedulerCourse(make_scheduler(name, config, STEPS), torch.Generator(), begin)
        shown = course.scaled(0, level.of(drawn(0), drawn(1)))
        answer = Answer(shown, course.timesteps[0], right_answer(prediction_type, level.picture, level.noise))
        found = finished(answer, name, config)
        # Some schedulers name whole timesteps for noise levels that lie between two.
        assert (found - drawn(0)).abs().mean() <= 0.02, (begin, level)


def test_where_nothing_but_noise_is_left_the_estimate_is_a_number() -> None:
    config = config_for("epsilon", rescale_betas_zero_snr=True)
    signal, noise = mixed("ddim", config, 999.0)
    assert 0 < signal < 1e-3
    assert noise == pytest.approx(1.0)
    found = finished(Answer(drawn(1), 999.0, drawn(2)), "ddim", config)
    assert torch.isfinite(found).all()


def test_of_an_answer_of_another_kind_nothing_follows() -> None:
    with pytest.raises(ValueError, match="no estimate"):
        finished(Answer(drawn(0), 10.0, drawn(1)), "ddim", config_for("flow_prediction"))
