"""The paths of OpenAI's Images API."""

import asyncio
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Header, Request
from starlette.responses import Response

from api.deps import ServicesOf
from api.dialects.bodies import read_object
from api.dialects.callers import Caller
from api.dialects.making import awaited, enter
from api.dialects.openai import models
from api.dialects.openai.answers import answer, json_of, made_plan
from api.dialects.openai.asked import Asking, asking_of
from api.dialects.openai.forms import read_edit
from api.dialects.openai.inputs import VARIATION_STRENGTH
from api.dialects.openai.names import model_of
from api.dialects.openai.streaming import Telling
from api.dialects.openai.tokens import tokens_of
from api.dialects.pictures import base64_of
from api.dialects.remarks import Remarks, tell
from api.dialects.requested import in_words_of
from api.links import picture_url
from api.patterns import KEY_PATTERN
from darkroom.contract.job import Job
from darkroom.services import Services

router = APIRouter(prefix="/v1")

Key = Annotated[str | None, Header(alias="Idempotency-Key", pattern=KEY_PATTERN)]


@router.post("/images/generations")
async def generate(request: Request, services: ServicesOf, tenant: Caller, key: Key = None) -> Response:
    """Pictures from words."""
    return await _answered(request, services, await _generation(request, services, tenant), key)


async def _generation(request: Request, services: Services, tenant: str) -> Asking:
    return await asking_of(request, services, tenant, await read_object(request))


@router.post("/images/edits")
async def edit(request: Request, services: ServicesOf, tenant: Caller, key: Key = None) -> Response:
    """A picture made anew, or its part under a mask."""
    return await _answered(request, services, await _edit(request, services, tenant, {}), key)


@router.post("/images/variations")
async def vary(request: Request, services: ServicesOf, tenant: Caller, key: Key = None) -> Response:
    """What OpenAI has retired: the same picture again, but for a part of its noise."""
    given = {"prompt": "", "strength": VARIATION_STRENGTH}
    return await _answered(request, services, await _edit(request, services, tenant, given), key)


async def _edit(request: Request, services: Services, tenant: str, given: dict[str, Any]) -> Asking:
    """The body, with its pictures, does not outlive this."""
    return await asking_of(request, services, tenant, given | await read_edit(request), "image_edit")


@router.options("/images/generations")
@router.options("/images/edits")
@router.options("/images/variations")
async def ping() -> Response:
    """Clients look in this way whether somebody is there."""
    return Response(status_code=204, headers={"Allow": "OPTIONS, POST"})


@router.get("/models")
async def list_models(services: ServicesOf, tenant: Caller) -> dict[str, Any]:
    """The models there are."""
    del tenant
    return models.listed(services.catalog, services.settings.model_aliases)


@router.get("/models/{name:path}")
async def get_model(services: ServicesOf, tenant: Caller, name: str) -> dict[str, Any]:
    """One of them, also by a name that stands for it."""
    del tenant
    spec = model_of(name, services.catalog, services.settings.model_aliases, Remarks())
    return models.described(name, spec.name)


async def _answered(request: Request, services: Services, asking: Asking, key: str | None) -> Response:
    if asking.wanted.stream:
        return Telling(request, services, asking, key)
    entering = partial(enter, request, services, asking.tenant, asking.request, asking.notices, key)
    making = awaited(request, services, asking.tenant, entering, kept=key is not None)
    told = asking.told
    del asking, entering  # with the pictures in them: many wait here
    with in_words_of(told.names):
        job = await making
    pictures = await _pictures(request, services, job, as_url=told.as_url, kept=key is not None)
    body = answer(job, pictures, told, await tokens_of(services, job))
    response = Response(await asyncio.to_thread(json_of, body), media_type="application/json")
    tell(response.headers, made_plan(job).warnings)
    return response


async def _pictures(
    request: Request, services: Services, job: Job, *, as_url: bool, kept: bool
) -> list[dict[str, str]]:
    """Raises: as `base64_of`, `picture_url`."""
    if not as_url:
        return [{"b64_json": b64} for b64 in await base64_of(services, job, kept=kept)]
    ordered = sorted(job.artifacts, key=lambda each: each.index)
    return [{"url": await picture_url(services, request, artifact)} for artifact in ordered]
