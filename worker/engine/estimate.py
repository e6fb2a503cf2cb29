"""What latents are on the way to: the network's own estimate of the finished ones, at any step."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from worker.engine.schedulers import alphas_bar, canonical

# By scheduler and configuration; one takes eight kilobytes.
REMEMBERED_LEVELS = 64
# Where nothing but noise is left, as with betas rescaled to end in it.
LEAST_SIGNAL = 2.0**-24


@dataclass(frozen=True, eq=False)
class Answer:
    """What the network was shown in one pass, scaled for it, and what it said, with guidance; both 1 C H W."""

    shown_1CHW: Tensor
    timestep: float
    prediction_1CHW: Tensor


def finished(answer: Answer, scheduler: str, config: Mapping[str, Any]) -> Tensor:
    """The estimate of x_0, 1 C H W, float32.

    Schedulers keep latents as they like, but all show them to the network as what it was trained on, x_t = signal *
    x_0 + noise * e, with signal^2 = alpha_bar(t) and noise^2 = 1 - signal^2: Ho, Jain and Abbeel,
    https://arxiv.org/abs/2006.11239, equation 4; for velocities Salimans and Ho, https://arxiv.org/abs/2202.00512,
    appendix D.
    """
    signal, noise = mixed(scheduler, config, answer.timestep)
    shown_1CHW, said_1CHW = answer.shown_1CHW.float(), answer.prediction_1CHW.float()
    match config.get("prediction_type", "epsilon"):
        case "epsilon":
            return (shown_1CHW - noise * said_1CHW) / signal
        case "v_prediction":
            return signal * shown_1CHW - noise * said_1CHW
        case "sample":
            return said_1CHW
    raise ValueError(f"no estimate follows from a {config['prediction_type']}")


def mixed(scheduler: str, config: Mapping[str, Any], timestep: float) -> tuple[float, float]:
    """How much of the picture and how much noise the network was shown at `timestep`.

    Between whole timesteps, the logarithm of noise over signal is linear, as in `_sigma_to_t` of diffusers.
    """
    levels = _levels(scheduler, canonical(config))
    sigma = math.exp(np.interp(timestep, np.arange(len(levels)), levels))
    return 1 / math.hypot(1, sigma), sigma / math.hypot(1, sigma)


@lru_cache(REMEMBERED_LEVELS)
def _levels(scheduler: str, config: str) -> NDArray[np.float64]:
    """log(noise / signal) by timestep, by the betas as this scheduler has them."""
    signal_squared = alphas_bar(scheduler, config).double().numpy().clip(LEAST_SIGNAL)
    levels: NDArray[np.float64] = np.log((1 - signal_squared) / signal_squared) / 2
    return levels
