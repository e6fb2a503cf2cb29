"""What a work needs in memory before it can be seated, and how it gets it as one."""

from collections.abc import Mapping
from typing import Any

from darkroom.contract.plan import GenerationPlan
from darkroom.contract.vae import NamedVae
from worker.models.cache import Lease, Wanted
from worker.models.checkpoint import Checkpoint


def needs(plan: GenerationPlan) -> tuple[Wanted, ...]:
    """The model first."""
    return (plan.model, plan.vae) if isinstance(plan.vae, NamedVae) else (plan.model,)


def joined(plan: GenerationPlan, leases: Mapping[Wanted, Lease[Any]]) -> Lease[Checkpoint]:
    """One lease on all of it, which ends all of `leases`: the model's networks, with the VAE of the plan."""
    model: Lease[Checkpoint] = leases[plan.model]
    if not isinstance(plan.vae, NamedVae):
        return model
    vae = leases[plan.vae]

    def release() -> None:
        model.release()
        vae.release()

    return Lease(model.loaded.with_vae(vae.loaded), release)
