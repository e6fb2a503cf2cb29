"""Making pictures, while the caller waits."""

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request, Response

from api.accepted import IdempotencyKey
from api.deps import ServicesOf
from api.dialects.a1111.asking import Asking, asking_of
from api.dialects.a1111.img2img import image_to_image
from api.dialects.a1111.masks import painted
from api.dialects.a1111.options import options_of
from api.dialects.a1111.results import answer
from api.dialects.a1111.shape import name_of
from api.dialects.a1111.txt2img import text_to_image
from api.dialects.a1111.typed import flag_of
from api.dialects.bodies import read_object
from api.dialects.callers import Caller
from api.dialects.making import awaited, enter
from api.dialects.masks import remade
from api.dialects.pictures import base64_of
from api.dialects.remarks import Remarks, tell
from darkroom.contract.generation import GenerationRequest, Inpaint
from darkroom.contract.job import Job
from darkroom.contract.plan import Notice
from darkroom.ledger.protocol import Submitted
from darkroom.services import Services

router = APIRouter(prefix="/sdapi/v1")


@router.post("/txt2img")
async def txt2img(
    request: Request, response: Response, services: ServicesOf, tenant: Caller, idempotency_key: IdempotencyKey = None
) -> dict[str, Any]:
    """Pictures from words."""
    return await _made(request, response, services, tenant, text_to_image, idempotency_key)


@router.post("/img2img")
async def img2img(
    request: Request, response: Response, services: ServicesOf, tenant: Caller, idempotency_key: IdempotencyKey = None
) -> dict[str, Any]:
    """Pictures from a picture and words; with a mask, a part of it made anew."""
    return await _made(request, response, services, tenant, image_to_image, idempotency_key)


async def _made(
    request: Request,
    response: Response,
    services: Services,
    tenant: str,
    read: Callable[[Asking], GenerationRequest],
    key: str | None,
) -> dict[str, Any]:
    remarks, sent_back = Remarks(strict=services.settings.compat_strict), True

    async def entering() -> Submitted:
        """Nothing of the body outlives this: it may hold pictures, and somebody waits from here on."""
        nonlocal sent_back
        body = await read_object(request)
        asking = asking_of(body, await options_of(services, tenant), services.catalog, remarks)
        sent_back = flag_of(body, "send_images", default=True)
        asked = read(asking).model_copy(update={"previews": _previews(services, asking)})
        if isinstance(asked, Inpaint):
            mask = await remade(request, services, tenant, asked.mask, painted)
            asked = asked.model_copy(update={"mask": mask})
        return await enter(request, services, tenant, asked, remarks.notices, key)

    job = await awaited(request, services, tenant, entering, kept=key is not None)
    tell(response.headers, _told(job, remarks))
    return answer(job, await base64_of(services, job, kept=key is not None) if sent_back else [])


def _told(job: Job, remarks: Remarks) -> list[Notice]:
    """Ours have the dialect's names already; the planner and the worker say those of our own API."""
    plan = job.receipt.plan if job.receipt else job.generation
    later = plan.warnings[len(remarks.notices) :]
    return [*remarks.notices, *(Notice(field=name_of(each.field), reason=each.reason) for each in later)]


def _previews(services: Services, asking: Asking) -> bool:
    """For `GET /progress`, which shows them. A service without any is no surprise to callers of another's protocol."""
    return services.settings.previews and bool(asking.option("live_previews_enable"))
