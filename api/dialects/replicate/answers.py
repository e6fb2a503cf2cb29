"""Predictions as they are answered: with pictures where the clients look for them, and links that need no key."""

import base64
import time
from typing import Any, Final
from urllib.parse import urlencode

from starlette.requests import Request

from api.addresses import base_url
from api.links import check, picture_url, signed_query
from darkroom.contract.job import Job
from darkroom.contract.prediction import PREFIX, prediction_of
from darkroom.services import Services

# The clients make files of these alone. Elsewhere, as on one's own machine, pictures come with the answer.
_FILES: Final = ("https:", "data:")
MOST_INLINE: Final = 16 * 1024 * 1024  # bytes of a job's pictures


async def shown(request: Request, services: Services, job: Job, *, inline: bool = True) -> dict[str, Any]:
    """A prediction. `inline`: with the pictures in it, where the clients would not take them for files otherwise.

    Raises: NotStored, StoreUnavailable.
    """
    output = await outputs(request, services, job, inline=inline)
    base = base_url(request, services.settings)
    return prediction_of(job, base, output, stream_url(base, services.subkeys.links, job))


async def outputs(request: Request, services: Services, job: Job, *, inline: bool = True) -> list[str]:
    """Where each picture is, or all of it. Raises: NotStored, StoreUnavailable."""
    found = []
    small = sum(artifact.bytes for artifact in job.artifacts) <= MOST_INLINE
    for artifact in sorted(job.artifacts, key=lambda each: each.index):
        url = await picture_url(services, request, artifact)
        if inline and small and not url.startswith(_FILES):
            data = base64.b64encode(await services.store.get(artifact.key)).decode()
            url = f"data:{artifact.media_type};base64,{data}"
        found.append(url)
    return found


def stream_url(base: str, key: bytes, job: Job) -> str:
    """Where its events are. The client for JavaScript goes there without its key, so the link carries the right."""
    right = signed_query(key, _stream_name(job.tenant, job.id), time.time())
    return f"{base}{PREFIX}/predictions/{job.id}/events?{urlencode({'tenant': job.tenant})}&{right}"


def check_stream(key: bytes, tenant: str, job_id: str, expires: str, signature: str) -> None:
    """Raises: BadLink."""
    check(key, _stream_name(tenant, job_id), expires, signature, time.time())


def _stream_name(tenant: str, job_id: str) -> str:
    """No picture's: those have no slash."""
    return f"{job_id}/events of {tenant}"
