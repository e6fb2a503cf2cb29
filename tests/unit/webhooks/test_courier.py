"""The courier over the ledger in memory, and receivers on loopback that do as they like."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from ipaddress import ip_network
from typing import Any

import pytest
from pydantic import SecretStr
from standardwebhooks import Webhook
from structlog.testing import capture_logs

from darkroom.contract.generation import TextToImage
from darkroom.contract.webhook import ENDS, Attempt, Delivery, DeliveryState
from darkroom.contract.webhook import Webhook as Told
from darkroom.errors import LedgerUnavailable
from darkroom.ledger.protocol import Submission
from darkroom.outbound import Guard, admitted
from darkroom.planner import plan
from darkroom.services import Services
from darkroom.webhooks.courier import Courier, Pace
from darkroom.webhooks.sending import Sender
from darkroom.webhooks.signing import Signer
from tests.fakes import fake_services
from tests.gateway import BASE, client_of
from tests.receiver import LOOPBACK, SECRET, Receiver, hangs, receiving, says

JOB = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
SCHEDULE = (0.0, 0.01, 0.01)


class Office:
    """A courier at work for one receiver, and what it leaves in the ledger."""

    def __init__(self, receiver: Receiver, **changed: Any) -> None:
        self.receiver = receiver
        self.services: Services = fake_services()
        signer = Signer({"local": [SecretStr(SECRET)]})
        sender, kept_for = replace(Sender(receiver.guard, signer, 5.0), **changed), self.services.settings.result_ttl
        metrics, pace = self.services.metrics, Pace(every=0.01)
        self.courier = Courier(self.services.ledger, sender, metrics, SCHEDULE, kept_for, pace)

    async def end_job(self, job_id: str = JOB, url: str | None = None) -> str:
        """End a job whose webhook is the receiver's; returns the delivery's id."""
        url = url or self.receiver.url
        settled = plan(TextToImage(prompt="a red circle ∅"), self.services.catalog, now=0.0)
        host = admitted(url, Guard([ip_network("0.0.0.0/0")], range(1, 65536)))
        told = Told(url=url, host=host, base=BASE, events=ENDS)
        submission = Submission(
            job_id=job_id, tenant="local", plan=settled, idempotency_key=None, body_hash="x", webhook=told
        )
        await self.services.ledger.submit(submission)
        await self.services.ledger.cancel("local", job_id)
        return f"msg_{job_id}_1"

    async def settled(self, delivery_id: str) -> tuple[Delivery, tuple[Attempt, ...]]:
        """The delivery once it has ended."""
        stop = asyncio.Event()
        running = asyncio.create_task(self.courier.run(stop))
        found = await self.services.ledger.deliveries.get("local", delivery_id)
        async with asyncio.timeout(10):
            while found[0].state is DeliveryState.PENDING:
                await asyncio.sleep(0.005)
                found = await self.services.ledger.deliveries.get("local", delivery_id)
        stop.set()
        await running
        return found

    def counted(self, name: str, **labels: str) -> float | None:
        return self.services.metrics.registry.get_sample_value(name, labels)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver


async def test_a_receiver_is_told_what_the_api_shows_and_can_verify_it(receiver: Receiver) -> None:
    office = Office(receiver)
    delivery, attempts = await office.settled(await office.end_job())
    (message,) = receiver.messages
    told = Webhook(SECRET).verify(message.body, message.headers)
    async with client_of(office.services) as client:
        shown = (await client.get(f"/api/v1/generations/{JOB}")).json()
    assert (told["type"], told["data"]) == ("generation.canceled", shown)
    assert message.headers["content-type"] == "application/json"
    assert (delivery.state, [attempt.status for attempt in attempts]) == (DeliveryState.DELIVERED, [200])
    assert office.counted("darkroom_webhook_attempts_total", outcome="2xx") == 1
    assert office.counted("darkroom_webhook_lag_seconds_count") == 1


async def test_every_attempt_sends_the_same_id_and_the_same_bytes(receiver: Receiver) -> None:
    office = Office(receiver)

    async def at_last(receiver: Receiver, message: Any, writer: asyncio.StreamWriter) -> None:
        await says(500 if len(receiver.messages) < 3 else 204)(receiver, message, writer)

    receiver.answer = at_last
    delivery, attempts = await office.settled(await office.end_job())
    assert [attempt.status for attempt in attempts] == [500, 500, 204]
    assert {(message.id, message.body) for message in receiver.messages} == {(delivery.id, receiver.messages[0].body)}
    assert len(receiver.messages) == 3
    for message in receiver.messages:
        assert Webhook(SECRET).verify(message.body, message.headers)


async def test_what_nobody_takes_is_dead_and_lives_again_by_replay(receiver: Receiver) -> None:
    office = Office(receiver)
    receiver.answer = says(500)
    dead, _ = await office.settled(await office.end_job())
    assert (dead.state, dead.reason, dead.attempts) == (DeliveryState.DEAD, "attempts_exhausted", 3)
    assert office.counted("darkroom_webhooks_dead_total", reason="attempts_exhausted") == 1
    receiver.answer = says(200)
    await office.services.ledger.deliveries.replay("local", [dead.id])
    again, attempts = await office.settled(dead.id)
    assert (again.state, again.attempts) == (DeliveryState.DELIVERED, 4)
    assert [attempt.number for attempt in attempts] == [1, 2, 3, 4]
    assert {message.body for message in receiver.messages} == {receiver.messages[0].body}


async def test_a_redirect_is_a_failure_and_is_not_followed(receiver: Receiver) -> None:
    async with receiving() as inner:
        receiver.answer = says(307, f"Location: {inner.url}\r\n")
        office = Office(receiver)
        delivery, attempts = await office.settled(await office.end_job())
        assert (delivery.state, {attempt.status for attempt in attempts}) == (DeliveryState.DEAD, {307})
        assert inner.messages == []


async def test_a_receiver_that_hangs_is_a_timeout(receiver: Receiver) -> None:
    receiver.answer = hangs
    office = Office(receiver, seconds=0.05)
    _, attempts = await office.settled(await office.end_job())
    assert {(attempt.status, attempt.fault) for attempt in attempts} == {(None, "timeout")}


@pytest.mark.parametrize("reply", [b"SSH-2.0-OpenSSH\r\n", b"", b"HTTP/1.1 200 OK\r\nX: " + b"a" * 200_000])
async def test_what_is_no_answer_is_told_in_one_word(receiver: Receiver, reply: bytes) -> None:
    async def odd(receiver: Receiver, message: Any, writer: asyncio.StreamWriter) -> None:
        writer.write(reply)

    receiver.answer = odd
    office = Office(receiver)
    _, attempts = await office.settled(await office.end_job())
    assert {(attempt.status, attempt.fault) for attempt in attempts} == {(None, "unreachable")}


async def test_an_endless_answer_is_cut(receiver: Receiver) -> None:
    written = 0

    async def endless(receiver: Receiver, message: Any, writer: asyncio.StreamWriter) -> None:
        nonlocal written
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n")
        while True:
            writer.write(b"x" * 65536)
            await writer.drain()
            written += 65536

    receiver.answer = endless
    office = Office(receiver, seconds=5.0)
    delivery, _ = await office.settled(await office.end_job())
    assert delivery.state is DeliveryState.DELIVERED
    assert written < 50_000_000  # what fits into the buffers of two sockets


async def test_a_name_that_turns_inwards_after_it_was_vetted_is_never_connected_to(receiver: Receiver) -> None:
    answers = iter([["8.8.8.8"], ["127.0.0.1"], ["8.8.8.8", "127.0.0.1"]])

    async def rebinding(host: str, port: int) -> list[str]:
        return next(answers)

    connected: list[str] = []

    class Closed:
        async def connect_tcp(self, host: str, *args: object, **options: object) -> object:
            connected.append(host)
            raise OSError(111, "refused")

        async def sleep(self, seconds: float) -> None: ...

    guard = Guard(ports=[receiver.port], resolver=rebinding, network=Closed())  # type: ignore[arg-type]
    office = Office(receiver, guard=guard)
    _, attempts = await office.settled(await office.end_job(url=f"http://rebinding.test:{receiver.port}/"))
    assert connected == ["8.8.8.8"]
    assert [attempt.fault for attempt in attempts] == ["unreachable", "refused", "refused"]
    assert receiver.messages == []


async def test_another_address_of_the_host_is_tried(receiver: Receiver) -> None:
    async def two(host: str, port: int) -> list[str]:
        return ["127.1.1.1", "127.0.0.1"]

    office = Office(receiver, guard=Guard([LOOPBACK], [receiver.port], two))
    delivery, attempts = await office.settled(await office.end_job(url=f"http://two.test:{receiver.port}/"))
    assert (delivery.state, len(attempts)) == (DeliveryState.DELIVERED, 1)


async def test_410_stops_an_endpoint_for_all_its_messages(receiver: Receiver) -> None:
    receiver.answer = says(410)
    office = Office(receiver)
    gone, _ = await office.settled(await office.end_job())
    after, attempts = await office.settled(await office.end_job("01ARZ3NDEKTSV4RRFFQ69G5FAW"))
    assert [gone.reason, after.reason] == ["endpoint_gone", "endpoint_disabled"]
    assert (len(receiver.messages), attempts) == (1, ())


async def test_without_a_secret_nothing_leaves(receiver: Receiver) -> None:
    office = Office(receiver, signer=Signer({}))
    _, attempts = await office.settled(await office.end_job())
    assert ({attempt.fault for attempt in attempts}, receiver.messages) == ({"no_secret"}, [])


async def test_a_delivery_whose_record_is_gone_is_given_up(receiver: Receiver) -> None:
    office = Office(receiver)
    delivery_id = await office.end_job()
    office.services.ledger._records.clear()  # type: ignore[attr-defined]
    dropped, _ = await office.settled(delivery_id)
    assert (dropped.reason, receiver.messages) == ("record_gone", [])


async def test_a_record_that_cannot_be_read_is_an_attempt_and_comes_to_an_end(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = Office(receiver)
    delivery_id = await office.end_job()

    async def damaged(tenant: str, job_id: str) -> Any:
        raise ValueError("no such state: of a red circle")

    monkeypatch.setattr(office.services.ledger, "get", damaged)
    with capture_logs() as lines:
        dead, attempts = await office.settled(delivery_id)
    assert (dead.reason, receiver.messages) == ("attempts_exhausted", [])
    assert [attempt.fault for attempt in attempts] == ["internal"] * 3
    assert [line["error"] for line in lines if line["event"] == "delivery.broken"] == ["ValueError"] * 3
    assert "red circle" not in json.dumps(lines)


async def test_what_could_not_be_noted_is_sent_again_under_the_same_id(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("darkroom.webhooks.courier.MARGIN_SECONDS", -4.9)
    office = Office(receiver)
    note, away = office.services.ledger.deliveries.note, iter([True])

    async def sometimes(*args: Any) -> bool:
        if next(away, False):
            raise LedgerUnavailable("away")
        return await note(*args)

    monkeypatch.setattr(office.services.ledger.deliveries, "note", sometimes)
    delivery, attempts = await office.settled(await office.end_job())
    assert [message.id for message in receiver.messages] == [delivery.id] * 2
    assert [attempt.number for attempt in attempts] == [1]


async def test_a_slow_receiver_holds_up_nobody_else(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("darkroom.webhooks.courier.LAST_SECONDS", 0.01)
    async with receiving(hangs) as slow:

        async def here(host: str, port: int) -> list[str]:
            return ["127.0.0.1"]

        office = Office(receiver, guard=Guard([LOOPBACK], [receiver.port, slow.port], here), seconds=20.0)
        slow_url = f"http://slow.test:{slow.port}/"
        for index in range(20):
            await office.end_job(f"01ARZ3NDEKTSV4RRFFQ69G5F{index:02d}", url=slow_url)
        delivery, _ = await office.settled(await office.end_job())
        assert delivery.state is DeliveryState.DELIVERED
        assert 0 < len(slow.messages) <= office.courier.pace.per_lane


async def test_a_courier_that_stops_lets_attempts_end(receiver: Receiver) -> None:
    async def slowly(receiver: Receiver, message: Any, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.05)
        await says(200)(receiver, message, writer)

    receiver.answer = slowly
    office, stop = Office(receiver), asyncio.Event()
    delivery_id = await office.end_job()
    running = asyncio.create_task(office.courier.run(stop))
    await receiver.got(1)
    stop.set()
    await running
    delivery, _ = await office.services.ledger.deliveries.get("local", delivery_id)
    assert delivery.state is DeliveryState.DELIVERED


async def test_logs_hold_neither_url_nor_secret_nor_prompt(receiver: Receiver) -> None:
    office = Office(receiver)
    with capture_logs() as lines:
        await office.settled(await office.end_job())
    (told,) = [line for line in lines if line["event"] == "delivery.attempted"]
    assert told["host"] == "127.0.0.1"
    for secret in ("of-the-receiver", "/hook", SECRET.removeprefix("whsec_"), "red circle"):
        assert secret not in json.dumps(lines)
