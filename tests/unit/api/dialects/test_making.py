"""Waiting for pictures on behalf of protocols without jobs."""

import asyncio
import weakref
from dataclasses import replace
from typing import Any

import pytest
from starlette.requests import Request

from api.auth import ANONYMOUS_TENANT
from api.desk import Crowd, Desks
from api.dialects import making
from api.dialects.making import awaited, enter, made
from darkroom.contract.generation import TextToImage
from darkroom.contract.job import Job, JobState
from darkroom.contract.plan import Notice
from darkroom.errors import (
    CapacityError,
    GenerationCanceled,
    LedgerUnavailable,
    OutOfMemory,
    UnavailableError,
    WaitTimedOut,
)
from darkroom.ledger.protocol import Submitted
from darkroom.services import Services
from tests.fakes import fake_services
from tests.gateway import fail_one, finish_one

ASKED = TextToImage(prompt="a red circle")


class _App:
    def __init__(self, services: Services) -> None:
        self.state = self
        self.services = services
        self.desks = Desks.of(services.settings)
        self.stopping = asyncio.Event()


def _request(services: Services, *, gone: bool = False) -> Request:
    async def receive() -> Any:
        if gone:
            return {"type": "http.disconnect"}
        return await asyncio.Event().wait()

    scope = {"type": "http", "method": "POST", "path": "/", "query_string": b"", "app": _App(services)}
    return Request({**scope, "headers": [(b"host", b"127.0.0.1")], "server": ("127.0.0.1", 80)}, receive)


async def _jobs(services: Services) -> Any:
    return (await services.ledger.jobs(ANONYMOUS_TENANT, limit=10, cursor=None)).jobs


async def _one_job(services: Services) -> None:
    async with asyncio.timeout(5):
        while not await _jobs(services):
            await asyncio.sleep(0.001)


async def test_a_caller_gets_the_finished_job_with_what_was_remarked() -> None:
    services = fake_services(allow_anonymous=True)
    remark = Notice(field="tiling", reason="has no effect")
    task = asyncio.create_task(made(_request(services), services, ANONYMOUS_TENANT, ASKED, [remark]))
    await _one_job(services)
    await finish_one(services)
    job = await task
    assert job.state is JobState.SUCCEEDED
    assert job.generation.warnings[0] == remark


async def test_a_failure_is_the_error_that_its_code_names() -> None:
    services = fake_services(allow_anonymous=True)
    task = asyncio.create_task(made(_request(services), services, ANONYMOUS_TENANT, ASKED))
    await _one_job(services)
    await fail_one(services)
    with pytest.raises(OutOfMemory) as failed:
        await task
    assert failed.value.detail == "the device ran out of memory"


async def test_a_job_whose_caller_hung_up_is_canceled() -> None:
    services = fake_services(allow_anonymous=True)
    with pytest.raises(WaitTimedOut):
        await made(_request(services, gone=True), services, ANONYMOUS_TENANT, ASKED)
    assert [job.state for job in await _jobs(services)] == [JobState.CANCELED]


async def test_with_an_idempotency_key_it_goes_on_and_the_same_request_comes_back_to_it() -> None:
    services = fake_services(allow_anonymous=True)
    with pytest.raises(WaitTimedOut):
        await made(_request(services, gone=True), services, ANONYMOUS_TENANT, ASKED, key="k1")
    again = asyncio.create_task(made(_request(services), services, ANONYMOUS_TENANT, ASKED, key="k1"))
    await finish_one(services)
    assert (await again).state is JobState.SUCCEEDED
    assert len(await _jobs(services)) == 1


async def test_a_wait_ends_in_time_and_its_job_with_it() -> None:
    services = fake_services(allow_anonymous=True, compat_wait=0.05)
    with pytest.raises(WaitTimedOut):
        await made(_request(services), services, ANONYMOUS_TENANT, ASKED)
    assert [job.state for job in await _jobs(services)] == [JobState.CANCELED]


@pytest.mark.parametrize(("outages", "state"), [(2, JobState.CANCELED), (1000, JobState.QUEUED)], ids=["short", "long"])
async def test_an_outage_when_a_wait_is_over_sends_nobody_to_have_the_work_done_twice(
    monkeypatch: pytest.MonkeyPatch, outages: int, state: JobState
) -> None:
    monkeypatch.setattr(making, "AWAY_SECONDS", 0.001)
    monkeypatch.setattr(making, "CANCEL_SECONDS", 0.02 if outages > 2 else 5.0)
    services = fake_services(allow_anonymous=True, compat_wait=0.02)
    cancel, left = services.ledger.cancel, iter(range(outages))

    async def shaky(tenant: str, job_id: str) -> Job:
        if next(left, None) is not None:
            raise LedgerUnavailable("Redis does not answer")
        return await cancel(tenant, job_id)

    monkeypatch.setattr(services.ledger, "cancel", shaky)
    with pytest.raises(WaitTimedOut) as refused:
        await making.made(_request(services), services, ANONYMOUS_TENANT, ASKED)
    assert not refused.value.retryable
    assert [job.state for job in await _jobs(services)] == [state]


async def test_a_gateway_that_stops_sends_its_callers_to_another_and_leaves_no_work_behind() -> None:
    services = fake_services(allow_anonymous=True)
    request = _request(services)
    request.app.state.stopping.set()
    with pytest.raises(UnavailableError):
        await made(request, services, ANONYMOUS_TENANT, ASKED)
    assert [job.state for job in await _jobs(services)] == [JobState.CANCELED]


async def test_who_cancels_a_job_that_is_waited_for_is_told_so() -> None:
    services = fake_services(allow_anonymous=True)
    task = asyncio.create_task(made(_request(services), services, ANONYMOUS_TENANT, ASKED))
    await _one_job(services)
    (job,) = await _jobs(services)
    await services.ledger.cancel(ANONYMOUS_TENANT, job.id)
    with pytest.raises(GenerationCanceled):
        await task


async def test_where_too_many_wait_there_is_no_job_either() -> None:
    services = fake_services(allow_anonymous=True)
    request = _request(services)
    request.app.state.desks = replace(request.app.state.desks, listeners=Crowd(0, "requests wait"))
    with pytest.raises(CapacityError):
        await made(request, services, ANONYMOUS_TENANT, ASKED)
    assert not await _jobs(services)


async def test_nothing_of_a_request_is_held_while_its_caller_waits() -> None:
    services = fake_services(allow_anonymous=True)

    class Entering:
        async def __call__(self) -> Submitted:
            return await enter(_request(services), services, ANONYMOUS_TENANT, ASKED)

    entering = Entering()
    held = weakref.ref(entering)
    task = asyncio.create_task(awaited(_request(services), services, ANONYMOUS_TENANT, entering, kept=False))
    del entering
    await _one_job(services)
    await asyncio.sleep(0)
    assert held() is None
    await finish_one(services)
    assert (await task).state is JobState.SUCCEEDED
