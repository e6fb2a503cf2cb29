"""Works of several stages."""

from dataclasses import replace
from typing import Any

from darkroom.contract.stage import Hires, Refiner, Upscaler
from tests.unit.engine.works import PLAN, make_work
from worker.engine import Work
from worker.models.checkpoint import Checkpoint


def enlarged(
    job_id: str = "job",
    scale: float = 2.0,
    strength: float = 0.7,
    hires_steps: int = 0,
    upscaler: Upscaler = "latent",
    **fields: Any,
) -> Work:
    """Text to image with hires-fix. The second size must lie on the grid of 8 pixels."""
    settled = {**PLAN, **fields}
    steps = hires_steps or settled["steps"]
    hires = Hires(
        width=int(settled["width"] * scale),
        height=int(settled["height"] * scale),
        upscaler=upscaler,
        strength=strength,
        steps=steps,
        computed_steps=int(steps * strength),
    )
    return make_work(job_id, **{**fields, "later_stages": (hires,)})


def refined(job_id: str = "job", switch_at: float = 0.8, **fields: Any) -> Work:
    """Text to image of a base and a refiner, which is named `polish`."""
    return with_refiner(make_work(job_id, **fields), switch_at)


def with_refiner(work: Work, switch_at: float = 0.8) -> Work:
    refiner = Refiner(model="polish", weights={}, switch_at=switch_at)
    return replace(work, plan=work.plan.model_copy(update={"later_stages": (refiner,)}))


def polishing(refiner: Checkpoint) -> Checkpoint:
    """A refiner under the name that such works ask for."""
    return replace(refiner, spec=refiner.spec.model_copy(update={"name": "polish"}))
