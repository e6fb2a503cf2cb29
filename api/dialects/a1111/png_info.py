"""The parameters a picture was made with: as its file tells, or where it does not, as its watermark leads to them."""

import asyncio
import re
from collections.abc import Mapping
from time import monotonic
from typing import Any

from fastapi import Request

from api.desk import Desks
from api.errands import fetched
from api.lookups import looker_of
from darkroom.contract.generation import MAX_PICTURE_CHARS
from darkroom.contract.plan import GenerationPlan
from darkroom.errors import InvalidField, NotFound, NotStored, UrlError
from darkroom.infotext.reading import Infotext, parse
from darkroom.infotext.writing import infotext
from darkroom.inputs.naming import named_picture
from darkroom.inputs.shelf import fetch
from darkroom.provenance.written import Words, words_in
from darkroom.services import Services

FIELD = "image"
_SIZE = re.compile(r"([0-9]{1,5})x([0-9]{1,5})")


def told(words: Words) -> dict[str, Any]:
    """What `POST /sdapi/v1/png-info` answers."""
    return {"info": words.infotext, "items": dict(words.others), "parameters": _parameters(words.infotext)}


def _parameters(text: str) -> dict[str, str]:
    """In A1111's keys, where a size is two of them."""
    return _keyed(parse(text)) if text else {}


def _keyed(found: Infotext) -> dict[str, str]:
    keyed = {"Prompt": found.prompt, "Negative prompt": found.negative_prompt}
    for name, value in found.parameters.items():
        if size := _SIZE.fullmatch(value):
            keyed[f"{name}-1"], keyed[f"{name}-2"] = size[1], size[2]
        else:
            keyed[name] = value
    return keyed


def picture_said(body: Mapping[str, Any]) -> str:
    """Raises: InvalidField."""
    said = body.get(FIELD)
    if not isinstance(said, str) or not said.strip():
        raise _refused("must be a picture in base64")
    if len(said) > MAX_PICTURE_CHARS:
        raise _refused(f"may have at most {MAX_PICTURE_CHARS} characters")
    return said.strip()


async def words_of(request: Request, services: Services, tenant: str, said: str) -> Words:
    """Of a picture in base64, an asset's id or a URL.

    The watermark is looked for where the file says nothing, which counts as a lookup, and leads to a caller's own
    pictures alone. Raises: InvalidField, BadPicture, UrlError, RateLimited, CapacityError, TenantLimit,
    LedgerUnavailable, StoreUnavailable.
    """
    desks: Desks = request.app.state.desks
    with desks.uploads.of(tenant):
        data = await _bytes(services, desks, tenant, said)
        words = await asyncio.to_thread(words_in, data)
        if words.infotext:
            return words
        await looker_of(request, services, tenant)
        return Words(await _recovered(services, tenant, data), words.others)


async def _recovered(services: Services, tenant: str, data: bytes) -> str:
    begun = monotonic()
    verdict = await services.verifier.verify(data, tenant)
    services.metrics.verified(state=verdict.state, seconds=monotonic() - begun)
    if verdict.owner is None:
        return ""
    try:
        job = await services.ledger.get(tenant, verdict.owner.job_id)
    except NotFound:
        return ""
    return infotext(job.plan, verdict.owner.index) if isinstance(job.plan, GenerationPlan) else ""


async def _bytes(services: Services, desks: Desks, tenant: str, said: str) -> bytes:
    try:
        async with fetched(desks.errands, tenant, {FIELD: said}, services.guard) as files:
            if file := files.get(said):
                file.seek(0)
                return await asyncio.to_thread(file.read)
        named = await asyncio.to_thread(named_picture, FIELD, said)
        return named if isinstance(named, bytes) else await fetch(services.store, tenant, named.sha256)
    except NotStored:
        raise _refused("you have no asset with this id") from None
    except InvalidField as error:
        raise _refused(error.detail) from None
    except UrlError as error:
        error.field = None  # which would be told as a field of other paths
        raise


def _refused(why: str) -> InvalidField:
    """Named in words alone: errors of this dialect call a field `image` by another name, that of img2img."""
    return InvalidField("", f"{FIELD}: {why}")
