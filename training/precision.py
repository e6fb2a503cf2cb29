"""bfloat16 arithmetic with float32 master weights, and their moving average."""

import copy
import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from training.muon import Muon, is_matrix
from training.parallel import ALONE, Team

ADAM_BETAS = (0.9, 0.99)
WEIGHT_DECAY = 0.01
GRADIENT_NORM = 1.0  # gradients are scaled down to at most this norm


def adamw(weights: list[Tensor]) -> list[Optimizer]:
    """AdamW for all weights (Loshchilov and Hutter 2019)."""
    return [torch.optim.AdamW(weights, betas=ADAM_BETAS, weight_decay=WEIGHT_DECAY)]


def muon(weights: list[Tensor]) -> list[Optimizer]:
    """Muon for matrices, AdamW for the others."""
    matrices = [weight for weight in weights if is_matrix(weight)]
    others = [weight for weight in weights if not is_matrix(weight)]
    return [Muon(matrices, weight_decay=WEIGHT_DECAY), *adamw(others)]


class MasterWeights:
    """float32 copies of a bfloat16 module's weights (Micikevicius et al. 2018, "Mixed Precision Training").

    bfloat16 keeps 8 bits of a number, too few to add a small update to a weight; the copies add it. `average` holds
    the exponential moving average of the copies, which is what ships.
    """

    def __init__(
        self,
        module: nn.Module,
        parameters: Iterable[nn.Parameter],
        decay: float,
        optimisers: Callable[[list[Tensor]], list[Optimizer]] = adamw,
        team: Team = ALONE,
    ) -> None:
        self.fast = list(parameters)
        self.master = [p.detach().float().clone() for p in self.fast]
        self.average = [p.clone() for p in self.master]
        self.decay = decay
        self.steps = 0
        self.optimisers = optimisers(self.master)
        self.team = team
        module.to(torch.bfloat16)

    @torch.no_grad()
    def step(self, rate: float) -> None:
        """One step of the optimisers at learning rate `rate`, by the team's mean gradients; clears the gradients."""
        for fast, master in zip(self.fast, self.master, strict=True):
            master.grad = torch.zeros_like(master) if fast.grad is None else fast.grad.float()
            fast.grad = None
        self.team.average([master.grad for master in self.master if master.grad is not None])
        nn.utils.clip_grad_norm_(self.master, GRADIENT_NORM)
        for optimiser in self.optimisers:
            for group in optimiser.param_groups:
                group["lr"] = rate
            optimiser.step()
        torch._foreach_copy_(self.fast, self.master)
        self.steps += 1
        decay = min(self.decay, (1 + self.steps) / (20 + self.steps))
        torch._foreach_lerp_(self.average, self.master, 1 - decay)

    def state(self) -> dict[str, Any]:
        """All that a later run needs to go on."""
        optimisers = [optimiser.state_dict() for optimiser in self.optimisers]
        return {"steps": self.steps, "master": self.master, "average": self.average, "optimisers": optimisers}

    @torch.no_grad()
    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state` returned."""
        self.steps = state["steps"]
        torch._foreach_copy_(self.master, state["master"])
        torch._foreach_copy_(self.average, state["average"])
        torch._foreach_copy_(self.fast, self.master)
        for optimiser, its_state in zip(self.optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(its_state)


def averaged(module: nn.Module, weights: MasterWeights) -> nn.Module:
    """A float32 copy of `module` with the averaged weights, in evaluation mode."""
    names = {id(p): name for name, p in module.named_parameters()}
    twin = copy.deepcopy(module).float().eval()
    ours = dict(twin.named_parameters())
    with torch.no_grad():
        for fast, average in zip(weights.fast, weights.average, strict=True):
            ours[names[id(fast)]].copy_(average)
    return twin


def cosine_rate(step: int, steps: int, peak: float, warmup: int) -> float:
    """Linear warm-up over `warmup` steps, then half a cosine from `peak` to 1/50 of it."""
    rise = min(1.0, (step + 1) / warmup)
    return peak * rise * (0.51 + 0.49 * math.cos(math.pi * step / steps))


def trapezoid_rate(step: int, steps: int, peak: float, warmup: int, decay_share: float) -> float:
    """Warm-up, constant, linear decay over the last `decay_share` (Hägele et al. 2024, "Scaling Laws and
    Compute-Optimal Training Beyond Fixed Training Durations")."""
    rise = min(1.0, (step + 1) / warmup)
    fall = min(1.0, (steps - step) / (steps * decay_share))
    return peak * min(rise, fall)
