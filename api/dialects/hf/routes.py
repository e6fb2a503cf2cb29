"""`POST /hf/models/{id}`, and what clients ask about a model besides."""

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from api.accepted import IdempotencyKey
from api.addresses import base_url
from api.deps import ServicesOf
from api.dialects.callers import Caller
from api.dialects.hf.accept import preferred
from api.dialects.hf.adapter import TASKS, Settled, of_picture, settled
from api.dialects.hf.pace import slowed
from api.dialects.hf.reading import read
from api.dialects.making import awaited, enter
from api.dialects.model_names import model_named
from api.dialects.pictures import bytes_of
from api.dialects.remarks import Remarks, tell
from api.dialects.requested import in_words_of, requested
from darkroom.contract.job import Job
from darkroom.errors import NotFound
from darkroom.ledger.protocol import Submitted
from darkroom.services import Services

router = APIRouter(prefix="/hf")


def _model_of(services: ServicesOf, _: Caller, model_id: str = "") -> str:
    """Our name of the model in the path; the default one where the path is an endpoint of its own."""
    named = model_id.strip("/")
    if not named:
        return services.catalog.default
    return model_named(named, services.catalog, services.settings)


ModelOf = Annotated[str, Depends(_model_of)]


@router.post("")
@router.post("/")
@router.post("/models/{model_id:path}")  # looked for last: decorators are applied from below
@router.post("/models/{model_id:path}/pipeline/{task}")
@router.post("/pipeline/{task}/{model_id:path}")
async def infer(
    request: Request,
    services: ServicesOf,
    tenant: Caller,
    model: ModelOf,
    idempotency_key: IdempotencyKey = None,
    task: str | None = None,
) -> Response:
    """A picture, as soon as it is made."""
    async with slowed(request):
        entering = partial(_entered, request, services, tenant, model, task, idempotency_key)
        job = await awaited(request, services, tenant, entering, kept=idempotency_key is not None)
        return await _picture(request, services, job, kept=idempotency_key is not None)


async def _entered(
    request: Request, services: Services, tenant: str, model: str, task: str | None, key: str | None
) -> Submitted:
    """Nothing of the body outlives this: it may be a picture, and somebody waits from here on."""
    remarks = Remarks(strict=services.settings.compat_strict)
    asked = _asked(await read(request), remarks, task)
    with in_words_of(asked.names):
        wanted = requested(_defaults(request, model) | asked.fields, asked.names)
        return await enter(request, services, tenant, wanted, remarks.notices, key)


def _asked(body: dict[str, Any] | str, remarks: Remarks, task: str | None) -> Settled:
    return of_picture(body) if isinstance(body, str) else settled(body, remarks, task)


def _defaults(request: Request, model: str) -> dict[str, Any]:
    """`Accept` counts where no parameter says more: clients send one with every request."""
    return {"model": model, "output_format": preferred(request.headers.get("accept", ""))}


async def _picture(request: Request, services: Services, job: Job, *, kept: bool) -> Response:
    (data,) = await bytes_of(services, job, kept=kept)
    here = f"{base_url(request, services.settings)}/api/v1/generations/{job.id}/images/0"
    response = Response(data, media_type=job.artifacts[0].media_type, headers={"Content-Location": here})
    plan = job.receipt.plan if job.receipt else job.generation
    tell(response.headers, plan.warnings)
    return response


@router.get("/models/{model_id:path}/health")
async def answer_for_health(services: ServicesOf, model: ModelOf) -> dict[str, Any]:
    """Whether somebody serves it: clients look at the status alone."""
    if not (await services.ledger.serving()).get(model):
        raise NotFound("nobody serves this model now")
    return {}


@router.get("/models/{model_id:path}")
@router.get("/models/{model_id:path}/info")
@router.get("/status/{model_id:path}")
async def tell_of_model(services: ServicesOf, model: ModelOf) -> dict[str, Any]:
    """What it is, and whether it is loaded, in the words of Hugging Face."""
    spec = services.catalog.spec(model)
    loaded = bool((await services.ledger.serving()).get(model))
    return {
        "id": spec.name,
        "model_id": spec.name,
        "pipeline_tag": TASKS[0],
        "tasks": list(TASKS),
        "library_name": "diffusers",
        "framework": "diffusers",
        "sha": spec.revision or None,
        "loaded": loaded,
        "state": "Loaded" if loaded else "Loadable",
    }
