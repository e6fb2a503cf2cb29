"""The stream of a prediction, for who has its link."""

import asyncio
import base64
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from darkroom.contract.job import Job, Progress
from darkroom.errors import LedgerUnavailable
from darkroom.services import Services
from tests.fakes import fake_services
from tests.gateway import API_KEYS, PICTURE, bearer, claim_one, client_of, fail_one, finish_one

OF_MODEL = "/replicate/v1/models/someone/tiny/predictions"
Event = tuple[str, str]


async def made(client: httpx.AsyncClient, **headers: str) -> Any:
    return (await client.post(OF_MODEL, json={"input": {"prompt": "a"}}, headers=headers)).json()


def events(answer: httpx.Response) -> list[Event]:
    """As the client for Python reads them: what has no id is dropped."""
    assert answer.headers["content-type"].startswith("text/event-stream"), answer.text
    found = []
    for block in answer.text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.split("\n") if line and not line.startswith(":"))
        if "id" in fields:
            found.append((fields["event"], fields.get("data", "")))
    return found


async def test_progress_pictures_and_the_end_are_heard_without_a_key() -> None:
    services = fake_services(allow_anonymous=False, api_keys=API_KEYS)
    async with client_of(services) as client:
        url = (await made(client, **bearer("alice")))["urls"]["stream"]
        listening = asyncio.create_task(client.get(url))
        claim = await claim_one(services)
        await services.ledger.report((claim.job_id, claim.attempt, Progress(step=3, steps=4)))
        await services.ledger.release(claim.job_id, claim.attempt)
        await finish_one(services)
        heard = events(await listening)
    assert heard[0] == ("logs", " 75%|███████   | 3/4")
    assert [name for name, _ in heard] == ["logs", "output", "done"]
    assert heard[1][1] == f"data:image/png;base64,{base64.b64encode(PICTURE).decode()}"


async def _canceled(services: Services) -> Job:
    (job,) = (await services.ledger.jobs("local", limit=1)).jobs
    return await services.ledger.cancel("local", job.id)


@pytest.mark.parametrize(
    ("end", "heard"),
    [
        (fail_one, [("error", "the device ran out of memory"), ("done", '{"reason": "error"}')]),
        (_canceled, [("done", '{"reason": "canceled"}')]),
    ],
)
async def test_every_end_is_told(end: Callable[[Services], Awaitable[Job]], heard: list[Event]) -> None:
    services = fake_services()
    async with client_of(services) as client:
        url = (await made(client))["urls"]["stream"]
        await end(services)
        assert events(await client.get(url)) == heard
        again = {"Last-Event-ID": "9999999999999-0"}
        assert events(await client.get(url, headers=again))[-1][0] == "done"


@pytest.mark.parametrize(
    "changed",
    [
        ("tenant=alice", "tenant=bob"),
        ("expires=", "expires=1"),
        ("signature=", "signature=A"),
        ("signature=", "other="),
    ],
)
async def test_a_link_that_was_altered_leads_nowhere(changed: tuple[str, str]) -> None:
    services = fake_services(allow_anonymous=False, api_keys=API_KEYS)
    async with client_of(services) as client:
        url = (await made(client, **bearer("alice")))["urls"]["stream"]
        assert (await client.get(url.replace(*changed))).status_code in (401, 403, 404)


async def test_a_link_to_one_stream_opens_no_other_and_no_picture() -> None:
    services = fake_services(allow_anonymous=False, api_keys=API_KEYS)
    async with client_of(services) as client:
        one, other = await made(client, **bearer("alice")), await made(client, **bearer("alice"))
        await finish_one(services)
        right = one["urls"]["stream"].partition("?")[2]
        for path in (f"/replicate/v1/predictions/{other['id']}/events", f"/api/v1/pictures/{one['id']}-0.png"):
            assert (await client.get(f"{path}?{right}")).status_code in (403, 404)


async def test_a_ledger_that_goes_away_ends_the_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    services = fake_services()

    async def away(*_: Any, **__: Any) -> Any:
        raise LedgerUnavailable("gone")

    async with client_of(services) as client:
        url = (await made(client))["urls"]["stream"]
        monkeypatch.setattr(services.ledger, "events", away)
        answer = await client.get(url)
    assert (answer.status_code, events(answer)) == (200, [])


async def test_a_stream_has_no_head() -> None:
    async with client_of(fake_services()) as client:
        url = (await made(client))["urls"]["stream"]
        assert (await client.head(url)).status_code == 405
