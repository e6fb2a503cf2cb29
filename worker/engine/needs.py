"""What a work needs in memory before it can begin, and how it gets it as one."""

from collections.abc import Iterable, Mapping
from typing import Any

from darkroom.contract.plan import GenerationPlan
from darkroom.contract.vae import NamedVae
from worker.models.cache import Lease, Wanted
from worker.models.checkpoint import Checkpoint


class Leases:
    """All that one work was lent: the checkpoints of its stages, by name, until `release`."""

    def __init__(self, checkpoints: Mapping[str, Checkpoint], leases: Iterable[Lease[Any]]) -> None:
        self._checkpoints = dict(checkpoints)
        self._leases = tuple(leases)

    def checkpoint(self, model: str) -> Checkpoint:
        """The networks of `model`, with the VAE of the plan."""
        return self._checkpoints[model]

    def release(self) -> None:
        for lease in self._leases:
            lease.release()


def needs(plan: GenerationPlan) -> tuple[Wanted, ...]:
    """The model first."""
    return (*plan.models, plan.vae) if isinstance(plan.vae, NamedVae) else plan.models


def joined(plan: GenerationPlan, leases: Mapping[Wanted, Lease[Any]]) -> Leases:
    """One of all of `leases`."""
    checkpoints: dict[str, Checkpoint] = {name: leases[name].loaded for name in plan.models}
    if isinstance(plan.vae, NamedVae):
        vae = leases[plan.vae].loaded
        checkpoints = {name: checkpoint.with_vae(vae) for name, checkpoint in checkpoints.items()}
    return Leases(checkpoints, leases.values())
