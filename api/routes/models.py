"""What can be asked for."""

from typing import get_args

from fastapi import APIRouter

import darkroom
from api.body import json_limit
from api.deps import ServicesOf, Tenant
from api.documents import problems
from api.resources import lora_of, model_of, unavailable_of
from api.waiting import MAX_WAIT_SECONDS
from darkroom.catalog import SCHEDULER_TITLES, SCHEDULERS
from darkroom.contract.base import Asked
from darkroom.contract.generation import MAX_CONTROLNETS, MAX_LORAS, MAX_PROMPT_CHARS, MAX_SEED, LoraAsked, TextToImage
from darkroom.contract.listing import (
    Capabilities,
    Controlnet,
    Controlnets,
    Embedding,
    Embeddings,
    Limits,
    Loras,
    Models,
    Scheduler,
    Schedulers,
    Vae,
    Vaes,
)
from darkroom.contract.plan import TASKS, OutputFormat, Priority
from darkroom.errors import Unauthenticated
from darkroom.inputs.normal import MAX_PIXELS
from darkroom.services import Services

router = APIRouter(prefix="/api/v1", tags=["what can be asked for"], responses=problems(Unauthenticated))


@router.get("/models", operation_id="list_models")
async def list_models(services: ServicesOf, _: Tenant) -> Models:
    """The models served here."""
    return Models(models=[model_of(spec) for spec in services.catalog.specs()], default=services.catalog.default)


@router.get("/loras", operation_id="list_loras")
async def list_loras(services: ServicesOf, _: Tenant) -> Loras:
    """The LoRAs a generation may name, and those that are configured but broken."""
    known = services.catalog.loras
    return Loras(
        loras=[lora_of(spec) for spec in known.specs()],
        unavailable=[unavailable_of(entry) for entry in known.unavailable()],
    )


@router.get("/embeddings", operation_id="list_embeddings")
async def list_embeddings(services: ServicesOf, _: Tenant) -> Embeddings:
    """The textual inversions a prompt may name, and those that are configured but broken."""
    known = services.catalog.embeddings
    return Embeddings(
        embeddings=[Embedding.model_validate(spec.model_dump(exclude={"path", "widths"})) for spec in known.specs()],
        unavailable=[unavailable_of(entry) for entry in known.unavailable()],
    )


@router.get("/vaes", operation_id="list_vaes")
async def list_vaes(services: ServicesOf, _: Tenant) -> Vaes:
    """The VAEs a generation may name instead of the model's own, and those that are configured but broken."""
    known = services.catalog.vaes
    return Vaes(
        vaes=[Vae.model_validate(spec, from_attributes=True) for spec in known.specs()],
        unavailable=[unavailable_of(entry) for entry in known.unavailable()],
    )


@router.get("/controlnets", operation_id="list_controlnets")
async def list_controlnets(services: ServicesOf, _: Tenant) -> Controlnets:
    """The ControlNets a generation may use, and those that are configured but broken."""
    known = services.catalog.controlnets
    return Controlnets(
        controlnets=[Controlnet.model_validate(spec, from_attributes=True) for spec in known.specs()],
        unavailable=[unavailable_of(entry) for entry in known.unavailable()],
    )


@router.get("/schedulers", operation_id="list_schedulers")
async def list_schedulers(_: Tenant) -> Schedulers:
    """The schedulers a generation may name."""
    return Schedulers(schedulers=[Scheduler(name=name, title=SCHEDULER_TITLES[name]) for name in SCHEDULERS])


@router.get("/capabilities", operation_id="get_capabilities")
async def get_capabilities(services: ServicesOf, _: Tenant) -> Capabilities:
    """Tasks, formats, names and limits."""
    return Capabilities(
        version=darkroom.__version__,
        tasks=list(TASKS),
        output_formats=list(get_args(OutputFormat)),
        priorities=list(get_args(Priority)),
        default_model=services.catalog.default,
        models=[spec.name for spec in services.catalog.specs()],
        loras=[spec.name for spec in services.catalog.loras.specs()],
        embeddings=[spec.name for spec in services.catalog.embeddings.specs()],
        vaes=[spec.name for spec in services.catalog.vaes.specs()],
        controlnets=[spec.name for spec in services.catalog.controlnets.specs()],
        schedulers=list(SCHEDULERS),
        visible_labels=list(services.labels.allowed),
        always_labelled=services.settings.visible_label,
        limits=_limits(services),
    )


def _limits(services: Services) -> Limits:
    return Limits(
        max_prompt_chars=MAX_PROMPT_CHARS,
        max_images=_greatest(TextToImage, "n"),
        max_loras=MAX_LORAS,
        max_controlnets=MAX_CONTROLNETS,
        max_lora_weight=_greatest(LoraAsked, "weight"),
        max_steps=_greatest(TextToImage, "steps"),
        max_guidance_scale=_greatest(TextToImage, "guidance_scale"),
        max_seed=MAX_SEED,
        max_json_bytes=json_limit(services.settings),
        max_upload_bytes=services.settings.max_body_bytes,
        max_picture_pixels=MAX_PIXELS,
        max_wait_seconds=MAX_WAIT_SECONDS,
    )


def _greatest(model: type[Asked], field: str) -> int:
    """The upper bound the contract itself states, so that the two never differ."""
    return next(int(bound.le) for bound in model.model_fields[field].metadata if hasattr(bound, "le"))
