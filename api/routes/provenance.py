"""Where does this picture come from?"""

from time import monotonic

from fastapi import APIRouter, Request

from api.deps import ServicesOf
from api.desk import Desks
from api.documents import problems
from api.lookups import Looker
from api.named import NAMED_BODY, NAMED_PROBLEMS, named_picture
from api.owners import with_prompt
from darkroom.errors import RateLimited
from darkroom.provenance import Verdict

router = APIRouter(prefix="/api/v1/provenance", tags=["provenance"])


@router.post(
    "/verify",
    operation_id="verify_picture",
    openapi_extra={"requestBody": NAMED_BODY},
    responses=problems(*NAMED_PROBLEMS, RateLimited),
)
async def verify_picture(request: Request, services: ServicesOf, tenant: Looker) -> Verdict:
    """What the picture's credential and its watermark say, and what the two together amount to.

    None of its states says that a picture was not made by an AI. Whose picture it is, is told to its owner alone.
    """
    desks: Desks = request.app.state.desks
    with desks.uploads.of(tenant):
        async with named_picture(request, services, tenant) as picture:
            begun = monotonic()
            verdict = await services.verifier.verify_file(picture, tenant)
    services.metrics.verified(state=verdict.state, seconds=monotonic() - begun)
    return await with_prompt(verdict, services, tenant)
