import asyncio
import json
from time import monotonic
from typing import Any

import httpx
import pytest

from api import desk, events
from darkroom.contract.job import Progress
from darkroom.errors import LedgerUnavailable
from darkroom.ledger.memory import MemoryLedger
from darkroom.services import Services
from tests.fakes import fake_services
from tests.gateway import API_KEYS, GENERATIONS, ask, claim_one, client_of, finish_one, problem_in
from tests.until import until


def messages(text: str) -> list[dict[str, str]]:
    """Server-sent events, read as the HTML standard says; comments and a lone `retry` are no events."""
    found = []
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.split("\n") if line and not line.startswith(":"))
        if "data" in fields:
            found.append(fields)
    return found


def waits(services: Services) -> bool:
    """Whether somebody has heard all there is, and listens for more."""
    assert isinstance(services.ledger, MemoryLedger)
    return services.ledger.news.awaited


async def run_through(services: Services) -> None:
    """Let the next job report its steps and end."""
    claim = await claim_one(services)
    for step in (1, 2):
        await services.ledger.report((claim.job_id, claim.attempt, Progress(step=step, steps=2)))
    await services.ledger.release(claim.job_id, claim.attempt)
    await finish_one(services)


async def test_a_history_is_told_to_its_end_and_then_closed(services: Services, client: httpx.AsyncClient) -> None:
    job = await ask(client)
    await run_through(services)
    answer = await client.get(job["links"]["events"])
    assert answer.headers["content-type"].startswith("text/event-stream")
    told = messages(answer.text)
    assert [event["event"] for event in told] == [
        "queued",
        "running",
        "progress",
        "progress",
        "requeued",
        "running",
        "succeeded",
    ]
    assert len({event["id"] for event in told}) == len(told)
    first: dict[str, Any] = json.loads(told[2]["data"])
    assert (first["job_id"], first["name"], first["data"]) == (job["id"], "progress", {"step": 1, "steps": 2})


async def test_events_are_told_as_they_happen(services: Services, client: httpx.AsyncClient) -> None:
    job = await ask(client)
    listening = asyncio.create_task(client.get(job["links"]["events"]))
    await until(lambda: waits(services))
    assert not listening.done()
    await finish_one(services)
    assert [event["event"] for event in messages((await listening).text)] == ["queued", "running", "succeeded"]


async def test_a_listener_goes_on_after_the_last_event_it_saw(services: Services, client: httpx.AsyncClient) -> None:
    job = await ask(client)
    await run_through(services)
    told = messages((await client.get(job["links"]["events"])).text)
    for cut in range(len(told) - 1):
        again = await client.get(job["links"]["events"], headers={"Last-Event-ID": told[cut]["id"]})
        assert messages(again.text) == told[cut + 1 :]


async def test_a_listener_with_nothing_more_to_hear_is_told_not_to_return(
    services: Services, client: httpx.AsyncClient
) -> None:
    job = await ask(client)
    await finish_one(services)
    last = messages((await client.get(job["links"]["events"])).text)[-1]
    answer = await client.get(job["links"]["events"], headers={"Last-Event-ID": last["id"]})
    assert (answer.status_code, answer.content) == (204, b"")


@pytest.mark.parametrize(
    "last", ["", "x", "1-", "-1", "1-1-1", "99999999999999999999", "1-99999999999999999999", "٣", "$"]
)
async def test_an_id_that_was_never_an_events_is_refused(client: httpx.AsyncClient, last: str) -> None:
    job = await ask(client)
    answer = await client.get(job["links"]["events"], headers={"Last-Event-ID": last.encode()})
    assert (answer.status_code, problem_in(answer)["field"].lower()) == (422, "last-event-id")


async def test_an_unknown_generation_has_no_events(client: httpx.AsyncClient) -> None:
    answer = await client.get(f"{GENERATIONS}/01ARZ3NDEKTSV4RRFFQ69G5FAV/events")
    assert (answer.status_code, problem_in(answer)["code"]) == (404, "not_found")


async def test_silence_is_filled_with_pings(
    services: Services, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "PING_SECONDS", 0.0)
    monkeypatch.setattr(events, "_SLICE_SECONDS", 0.001)
    job = await services.ledger.get("local", (await ask(client))["id"])
    pieces = events._stream(services.ledger, job, "0", asyncio.Event())
    heard = [await anext(pieces) for _ in range(4)]
    assert heard[0] == b"retry: 2000\n\n"
    assert heard[2:] == [b": ping\n\n"] * 2
    await pieces.aclose()


async def test_a_stopping_server_lets_its_listeners_go(
    services: Services, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "_SLICE_SECONDS", 0.001)
    job = await services.ledger.get("local", (await ask(client))["id"])
    stopping = asyncio.Event()
    pieces = events._stream(services.ledger, job, "0", stopping)
    await anext(pieces)
    await anext(pieces)
    stopping.set()
    assert [piece async for piece in pieces] == []


async def test_a_ledger_that_goes_away_ends_the_stream_and_no_more(
    services: Services, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = await services.ledger.get("local", (await ask(client))["id"])

    async def away(*_: Any, **__: Any) -> Any:
        raise LedgerUnavailable("gone")

    monkeypatch.setattr(services.ledger, "events", away)
    assert [piece async for piece in events._stream(services.ledger, job, "0", asyncio.Event())] == [b"retry: 2000\n\n"]


@pytest.mark.parametrize("future", ["9999999999999999999-0", "9999999999999-7", "9999999999999"])
async def test_a_listener_from_the_future_still_hears_the_end(
    services: Services, client: httpx.AsyncClient, future: str
) -> None:
    job = await ask(client)
    listening = asyncio.create_task(client.get(job["links"]["events"], headers={"Last-Event-ID": future}))
    await until(lambda: waits(services))
    await finish_one(services)
    told = messages((await asyncio.wait_for(listening, 5)).text)
    assert [event["event"] for event in told] == ["running", "succeeded"]


async def test_who_has_too_many_listeners_is_refused_and_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk, "LISTENERS", 2)
    services = fake_services(allow_anonymous=False, api_keys=API_KEYS)
    async with client_of(services, "alice") as client:
        path = f"{GENERATIONS}/{(await ask(client))['id']}/events"
        listening = asyncio.create_task(client.get(path))
        await until(lambda: waits(services))
        answer = await asyncio.wait_for(client.get(path), 5)
        assert (answer.status_code, problem_in(answer)["code"]) == (429, "tenant_limit")
        begun = monotonic()
        accepted = await client.post(GENERATIONS, json={"prompt": "a"}, headers={"Prefer": "wait=9"})
        assert (accepted.status_code, monotonic() - begun < 5) == (202, True)
        for _ in range(2):
            await finish_one(services)
        assert (await listening).status_code == 200
        again = await client.get(path)
        assert again.status_code == 200
