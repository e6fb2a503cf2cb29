"""Asking as a client of OpenAI does, while a worker's part is played by hand."""

import asyncio
from collections.abc import Awaitable
from typing import Any

import httpx
from PIL import Image

from darkroom.contract.job import Job, JobState
from darkroom.services import Services
from tests.gateway import finish_one
from tests.unit.inputs.files import saved, scene

GENERATIONS, EDITS, VARIATIONS = (f"/v1/images/{name}" for name in ("generations", "edits", "variations"))


async def the_job(services: Services) -> Job:
    """The newest, as soon as there is one that waits."""
    async with asyncio.timeout(60):
        while True:
            page = await services.ledger.jobs("local", limit=1, cursor=None)
            if page.jobs and page.jobs[0].state is JobState.QUEUED:
                return page.jobs[0]
            await asyncio.sleep(0.001)


async def made(services: Services, asking: Awaitable[httpx.Response]) -> tuple[httpx.Response, Job]:
    """The answer, with a worker's part played, and the job."""
    waiting = asyncio.ensure_future(asking)
    job = await the_job(services)
    await finish_one(services)
    return await waiting, job


def error_in(answer: httpx.Response) -> dict[str, Any]:
    """Checked for what SDKs read."""
    error: dict[str, Any] = answer.json()["error"]
    assert set(error) == {"message", "type", "param", "code", "darkroom_code"}
    assert error["message"]
    assert error["type"]
    assert answer.headers["x-request-id"]
    return error


def clear_in_the_middle() -> bytes:
    """A mask as OpenAI has it: opaque, but for a square."""
    picture = Image.fromarray(scene(128, 128)).convert("RGBA")
    picture.paste((0, 0, 0, 0), (32, 32, 96, 96))
    return saved(picture)
