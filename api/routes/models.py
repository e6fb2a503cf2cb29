"""What can be asked for."""

from typing import get_args

from fastapi import APIRouter

import darkroom
from api.body import MAX_JSON_BYTES
from api.deps import ServicesOf, Tenant
from api.documents import problems
from api.resources import Capabilities, Limits, Models, Scheduler, Schedulers, model_of
from api.waiting import MAX_WAIT_SECONDS
from darkroom.catalog import SCHEDULER_TITLES, SCHEDULERS
from darkroom.contract.generation import MAX_PROMPT_CHARS, MAX_SEED, TextToImage
from darkroom.contract.plan import OutputFormat, Priority, Task
from darkroom.errors import Unauthenticated
from darkroom.services import Services

router = APIRouter(prefix="/api/v1", tags=["what can be asked for"], responses=problems(Unauthenticated))


@router.get("/models", operation_id="list_models")
async def list_models(services: ServicesOf, _: Tenant) -> Models:
    """The models served here."""
    return Models(models=[model_of(spec) for spec in services.catalog.specs()], default=services.catalog.default)


@router.get("/schedulers", operation_id="list_schedulers")
async def list_schedulers(_: Tenant) -> Schedulers:
    """The schedulers a generation may name."""
    return Schedulers(schedulers=[Scheduler(name=name, title=SCHEDULER_TITLES[name]) for name in SCHEDULERS])


@router.get("/capabilities", operation_id="get_capabilities")
async def get_capabilities(services: ServicesOf, _: Tenant) -> Capabilities:
    """Tasks, formats, names and limits."""
    return Capabilities(
        version=darkroom.__version__,
        tasks=list(get_args(Task)),
        output_formats=list(get_args(OutputFormat)),
        priorities=list(get_args(Priority)),
        default_model=services.catalog.default,
        models=[spec.name for spec in services.catalog.specs()],
        schedulers=list(SCHEDULERS),
        limits=_limits(services),
    )


def _limits(services: Services) -> Limits:
    return Limits(
        max_prompt_chars=MAX_PROMPT_CHARS,
        max_images=_greatest("n"),
        max_steps=_greatest("steps"),
        max_guidance_scale=_greatest("guidance_scale"),
        max_seed=MAX_SEED,
        max_json_bytes=MAX_JSON_BYTES,
        max_upload_bytes=services.settings.max_body_bytes,
        max_wait_seconds=MAX_WAIT_SECONDS,
    )


def _greatest(field: str) -> int:
    """The upper bound the contract itself states, so that the two never differ."""
    return next(int(bound.le) for bound in TextToImage.model_fields[field].metadata if hasattr(bound, "le"))
