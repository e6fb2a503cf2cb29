"""What a caller's service is set to, what can be named in it, how far it is, and stopping it."""

import base64
import time
from typing import Any

from fastapi import APIRouter, Request, Response

from api.deps import ServicesOf
from api.dialects.a1111 import lists
from api.dialects.a1111.options import CHECKPOINT, options_of, set_options, shown
from api.dialects.a1111.png_info import picture_said, told, words_of
from api.dialects.a1111.progress import FEW, MANY, Standing, standing
from api.dialects.a1111.progress import shown as shown_progress
from api.dialects.a1111.queries import Switch, says_yes
from api.dialects.a1111.titles import checkpoint_of
from api.dialects.bodies import read_object
from api.dialects.callers import Caller
from api.dialects.remarks import Remarks, tell
from darkroom.contract.job import JobState
from darkroom.errors import ModelError, NotFound, UnknownModel
from darkroom.services import Services

router = APIRouter(prefix="/sdapi/v1")

# What A1111 has there is not here; who lists it is shown that there is none.
NONE_HERE = ("prompt-styles", "hypernetworks", "face-restorers", "realesrgan-models", "extensions")
# Files are looked for when the service starts, and workers load what is asked for.
NOTHING_TO_DO = ("refresh-checkpoints", "refresh-vae", "refresh-loras", "unload-checkpoint", "reload-checkpoint")
# What A1111 does besides making pictures, and this service does not.
NOT_DONE_HERE = {
    "interrogate": "pictures are not put into words here",
    "extra-single-image": "pictures are not enlarged by themselves here; a hires fix enlarges one while it is made",
    "extra-batch-images": "pictures are not enlarged by themselves here; a hires fix enlarges one while it is made",
    "train/embedding": "nothing is trained here",
    "train/hypernetwork": "nothing is trained here",
    "create/embedding": "nothing is trained here",
    "create/hypernetwork": "nothing is trained here",
}


@router.get("/options")
async def get_options(services: ServicesOf, tenant: Caller) -> dict[str, Any]:
    return shown(services.catalog, await options_of(services, tenant))


@router.post("/options")
async def post_options(request: Request, response: Response, services: ServicesOf, tenant: Caller) -> None:
    """As the original, it answers nothing."""
    remarks = Remarks(strict=services.settings.compat_strict)
    await set_options(services, tenant, await read_object(request), remarks)
    tell(response.headers, remarks.notices)


@router.get("/sd-models")
async def get_checkpoints(services: ServicesOf, _: Caller) -> list[lists.Item]:
    return lists.checkpoints(services.catalog)


@router.get("/samplers")
async def get_samplers(_: Caller) -> list[lists.Item]:
    return lists.samplers()


@router.get("/schedulers")
async def get_schedulers(_: Caller) -> list[lists.Item]:
    return lists.schedulers()


@router.get("/loras")
async def get_loras(services: ServicesOf, _: Caller) -> list[lists.Item]:
    return lists.loras(services.catalog)


@router.get("/sd-vae")
async def get_vaes(services: ServicesOf, _: Caller) -> list[lists.Item]:
    return lists.vaes(services.catalog)


@router.get("/embeddings")
async def get_embeddings(services: ServicesOf, tenant: Caller) -> lists.Item:
    title = shown(services.catalog, await options_of(services, tenant))[CHECKPOINT]
    try:
        checkpoint = checkpoint_of(services.catalog, title, CHECKPOINT).name
    except (UnknownModel, ModelError):
        checkpoint = None
    return lists.embeddings(services.catalog, checkpoint)


@router.get("/upscalers")
async def get_upscalers(_: Caller) -> list[lists.Item]:
    return lists.upscalers()


@router.get("/latent-upscale-modes")
async def get_latent_upscale_modes(_: Caller) -> list[lists.Item]:
    return lists.latent_upscale_modes()


@router.get("/scripts")
async def get_scripts(_: Caller) -> dict[str, list[str]]:
    return lists.scripts()


@router.get("/script-info")
async def get_script_info(_: Caller) -> list[lists.Item]:
    return lists.script_info()


@router.get("/cmd-flags")
async def get_cmd_flags(_: Caller) -> lists.Item:
    return lists.cmd_flags()


@router.get("/memory")
async def get_memory(_: Caller) -> lists.Item:
    return lists.memory()


@router.post("/png-info")
async def post_png_info(request: Request, services: ServicesOf, tenant: Caller) -> dict[str, Any]:
    said = picture_said(await read_object(request))
    return told(await words_of(request, services, tenant, said))


@router.get("/progress")
async def get_progress(services: ServicesOf, tenant: Caller, skip_current_image: Switch = "") -> dict[str, Any]:
    found = await standing(services.ledger, tenant, FEW)
    job = found.current
    waits = job is not None and job.state is JobState.QUEUED
    outlooks = await services.ledger.foresee([job.id]) if job and waits else {}
    image = None if says_yes(skip_current_image) else await _preview(services, found)
    return shown_progress(found, outlooks.get(job.id) if job else None, time.time(), image)


async def _preview(services: Services, found: Standing) -> str | None:
    """The first image's latest sketch. Not every job has some: they are asked for."""
    job = found.current
    if job is None or job.state is not JobState.RUNNING or not job.generation.previews:
        return None
    try:
        return base64.b64encode(await services.ledger.preview(job.tenant, job.id, 0)).decode()
    except NotFound:
        return None


@router.post("/interrupt")
@router.post("/skip")
async def interrupt(services: ServicesOf, tenant: Caller) -> dict[str, Any]:
    """Cancel what the caller has running, and nothing that waits: who gives up waiting hangs up, and is interrupted by
    some clients besides."""
    found = await standing(services.ledger, tenant, MANY)
    for job in found.running:
        await services.ledger.cancel(tenant, job.id)
    return {}


async def none_here(_: Caller) -> list[Any]:
    return []


async def nothing_to_do(_: Caller) -> dict[str, Any]:
    return {}


async def not_done_here(request: Request, _: Caller) -> None:
    path = request.url.path.removeprefix(f"{router.prefix}/")
    raise NotFound(NOT_DONE_HERE[path])


for name in NONE_HERE:
    router.get(f"/{name}")(none_here)
for name in NOTHING_TO_DO:
    router.post(f"/{name}")(nothing_to_do)
for name in NOT_DONE_HERE:
    router.post(f"/{name}")(not_done_here)
