"""What a work needs in memory before it can begin, and how it gets it as one."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from darkroom.contract.controlnet import NamedControlnet
from darkroom.contract.plan import GenerationPlan
from darkroom.contract.vae import NamedVae
from worker.models.cache import Lease, Wanted
from worker.models.checkpoint import Checkpoint
from worker.models.controlnet import Controlnet


class Leases:
    """All that one work was lent: the checkpoints of its stages, by name, until `release`."""

    def __init__(
        self,
        checkpoints: Mapping[str, Checkpoint],
        leases: Iterable[Lease[Any]],
        controlnets: Mapping[NamedControlnet, Controlnet] = MappingProxyType({}),
    ) -> None:
        self._checkpoints = dict(checkpoints)
        self._controlnets = dict(controlnets)
        self._leases = tuple(leases)

    def checkpoint(self, model: str) -> Checkpoint:
        """The networks of `model`, with the VAE of the plan."""
        return self._checkpoints[model]

    def controlnet(self, name: NamedControlnet) -> Controlnet:
        """One of the ControlNets of the plan."""
        return self._controlnets[name]

    def release(self) -> None:
        for lease in self._leases:
            lease.release()


def needs(plan: GenerationPlan) -> tuple[Wanted, ...]:
    """The model first. Each once, however often the plan names it."""
    vae = (plan.vae,) if isinstance(plan.vae, NamedVae) else ()
    return tuple(dict.fromkeys((*plan.models, *vae, *(control.net for control in plan.controls))))


def joined(plan: GenerationPlan, leases: Mapping[Wanted, Lease[Any]]) -> Leases:
    """One of all of `leases`."""
    checkpoints: dict[str, Checkpoint] = {name: leases[name].loaded for name in plan.models}
    if isinstance(plan.vae, NamedVae):
        vae = leases[plan.vae].loaded
        checkpoints = {name: checkpoint.with_vae(vae) for name, checkpoint in checkpoints.items()}
    controlnets = {control.net: leases[control.net].loaded for control in plan.controls}
    return Leases(checkpoints, leases.values(), controlnets)
