"""Everything of Replicate's but predictions: models, files, the account, the secret of webhooks."""

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request
from starlette.responses import JSONResponse, Response

from api.addresses import base_url
from api.deps import ServicesOf
from api.desk import Desks
from api.dialects.callers import Caller
from api.dialects.model_names import model_named
from api.dialects.replicate import models
from api.uploads import uploaded_picture
from darkroom.contract.model import ModelSpec
from darkroom.contract.prediction import PREFIX, file_url
from darkroom.errors import NotFound, NotStored, UnknownModel
from darkroom.inputs.normal import MEDIA_TYPE, normalise
from darkroom.inputs.shelf import fetch, keep

router = APIRouter(prefix=PREFIX)

_ID: Final = re.compile(r"[0-9a-f]{64}")
_FIELD: Final = "content"
_BESIDE: Final = 1  # the client for JavaScript sends metadata as a file


def _spec_of(services: ServicesOf, _: Caller, owner: str, name: str) -> ModelSpec:
    """Raises: NotFound; ModelError for one that is broken."""
    with _as_paths():
        return services.catalog.spec(model_named(f"{owner}/{name}", services.catalog, services.settings))


@contextmanager
def _as_paths() -> Iterator[None]:
    try:
        yield
    except UnknownModel as error:
        raise NotFound(error.detail) from None


SpecOf = Annotated[ModelSpec, Depends(_spec_of)]


@router.get("/models")
async def list_models(request: Request, services: ServicesOf, _: Caller) -> dict[str, Any]:
    base = base_url(request, services.settings)
    return _page([models.model(spec, base) for spec in services.catalog.specs()])


@router.get("/models/{owner}/{name}")
async def get_model(request: Request, services: ServicesOf, spec: SpecOf) -> dict[str, Any]:
    return models.model(spec, base_url(request, services.settings))


@router.get("/models/{owner}/{name}/versions")
async def list_versions(spec: SpecOf) -> dict[str, Any]:
    """The one that is served."""
    return _page([models.version(spec)])


@router.get("/models/{owner}/{name}/versions/{version}")
async def get_version(services: ServicesOf, spec: SpecOf, version: str) -> dict[str, Any]:
    """Its schema says what it takes."""
    models.version_asked(spec, version, services.settings)
    return models.version(spec)


def _page(results: list[dict[str, Any]]) -> dict[str, Any]:
    return {"previous": None, "next": None, "results": results}


@router.post("/files")
async def create_file(request: Request, services: ServicesOf, tenant: Caller) -> Response:
    """Keep a picture, which predictions may then name by its URL."""
    desks: Desks = request.app.state.desks
    most = services.settings.max_body_bytes
    with desks.uploads.of(tenant):
        async with uploaded_picture(request, most, _FIELD, _BESIDE) as file, desks.reading.of(tenant):
            picture = await asyncio.to_thread(lambda: normalise(file.read()))
        kept = await keep(services.store, tenant, picture)
    told = _file(base_url(request, services.settings), kept.sha256, len(picture.png))
    return JSONResponse(told, 201, headers={"Location": told["urls"]["get"]})


@router.get("/files/{file_id}")
async def get_file(request: Request, services: ServicesOf, tenant: Caller, file_id: str) -> dict[str, Any]:
    """What is known of one. Names, metadata and dates are not kept."""
    if not _ID.fullmatch(file_id):
        raise NotFound("no such file")
    try:
        png = await fetch(services.store, tenant, file_id)
    except NotStored:
        raise NotFound("no such file") from None
    return _file(base_url(request, services.settings), file_id, len(png))


def _file(base: str, sha256: str, size: int) -> dict[str, Any]:
    return {
        "id": sha256,
        "name": f"{sha256}.png",
        "content_type": MEDIA_TYPE,
        "size": size,
        "etag": sha256,
        "checksums": {"sha256": sha256},
        "metadata": {},
        "created_at": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
        "expires_at": None,
        "urls": {"get": file_url(base, sha256)},
    }


@router.get("/webhooks/default/secret")
async def get_webhook_secret(services: ServicesOf, tenant: Caller) -> Response:
    """What the caller's own webhooks are signed with."""
    secrets = services.settings.webhook_secrets.get(tenant)
    if not secrets:
        raise NotFound("the operator has set no secret that your webhooks could be signed with")
    return JSONResponse({"key": secrets[0].get_secret_value()}, headers={"Cache-Control": "no-store"})


@router.get("/account")
async def get_account(tenant: Caller) -> dict[str, Any]:
    return {"type": "organization", "username": tenant, "name": tenant, "github_url": None}
