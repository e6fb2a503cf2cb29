"""Works of several stages."""

from typing import Any

from darkroom.contract.stage import Hires, Upscaler
from tests.unit.engine.works import PLAN, make_work
from worker.engine import Work


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
