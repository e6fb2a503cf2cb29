import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack
from dataclasses import replace
from typing import IO, Any

import httpx
import pytest

from api.desk import AT_ONCE, IN_LINE, VISITORS, Crowd, Desk
from darkroom.errors import CapacityError, TenantLimit
from darkroom.provenance import State, Verdict
from darkroom.services import Services
from tests.fakes import fake_services
from tests.gateway import API_KEYS, bearer, client_of, problem_in
from tests.unit.provenance.making import encoded, shapes
from tests.until import until

VERIFY = "/api/v1/provenance/verify"


async def test_few_are_served_at_once_and_few_may_wait() -> None:
    desk, leave = Desk(), asyncio.Event()
    inside = 0

    async def visit() -> None:
        nonlocal inside
        async with desk.of("alice"):
            inside += 1
            await leave.wait()

    visits = [asyncio.create_task(visit()) for _ in range(AT_ONCE + IN_LINE)]
    await asyncio.sleep(0)
    assert inside == AT_ONCE
    with pytest.raises(CapacityError):
        async with desk.of("alice"):
            pass
    leave.set()
    await asyncio.gather(*visits)
    assert inside == AT_ONCE + IN_LINE
    async with desk.of("alice"):
        pass


async def test_those_who_leave_the_line_make_room() -> None:
    desk, leave = Desk(), asyncio.Event()

    async def visit() -> None:
        async with desk.of("alice"):
            await leave.wait()

    visits = [asyncio.create_task(visit()) for _ in range(AT_ONCE + IN_LINE)]
    await asyncio.sleep(0)
    visits.pop().cancel()
    await asyncio.sleep(0)
    visits.append(asyncio.create_task(visit()))
    await asyncio.sleep(0)
    leave.set()
    await asyncio.gather(*visits)


def test_those_who_leave_a_crowd_make_room() -> None:
    crowd = Crowd()
    with ExitStack() as inside:
        for _ in range(VISITORS - 1):
            inside.enter_context(crowd.of("alice"))
        for _ in range(2):
            with crowd.of("bob"), pytest.raises(CapacityError), crowd.of("bob"):
                pass


def test_one_of_several_tenants_may_be_half_of_a_crowd() -> None:
    crowd = Crowd(shared=True)
    with ExitStack() as inside:
        for _ in range(VISITORS // 2):
            inside.enter_context(crowd.of("alice"))
        with pytest.raises(TenantLimit), crowd.of("alice"):
            pass
        for _ in range(VISITORS // 2):
            inside.enter_context(crowd.of("bob"))
        with pytest.raises(CapacityError), crowd.of("carol"):
            pass
    with crowd.of("alice"):
        pass


async def test_one_of_several_tenants_may_be_half_of_the_line() -> None:
    desk, leave = Desk(shared=True), asyncio.Event()

    async def visit(tenant: str) -> None:
        async with desk.of(tenant):
            await leave.wait()

    visits = [asyncio.create_task(visit("alice")) for _ in range(AT_ONCE + IN_LINE // 2)]
    await asyncio.sleep(0)
    with pytest.raises(TenantLimit):
        await visit("alice")
    visits.append(asyncio.create_task(visit("bob")))
    await asyncio.sleep(0)
    leave.set()
    await asyncio.gather(*visits)


@pytest.mark.parametrize("path", ["/api/v1/provenance/verify", "/api/v1/assets", "/api/v1/generations"])
async def test_a_tenant_with_slow_bodies_leaves_room_for_the_others(path: str) -> None:
    services, leave = fake_services(allow_anonymous=False, api_keys=API_KEYS), asyncio.Event()
    begun, kind = 0, "application/json" if path.endswith("generations") else "image/png"

    async def slowly() -> AsyncIterator[bytes]:
        nonlocal begun
        yield b"x"
        begun += 1
        await leave.wait()

    async with client_of(services) as client:

        async def send(tenant: str, content: Any) -> httpx.Response:
            return await client.post(path, content=content, headers={**bearer(tenant), "Content-Type": kind})

        slow = [asyncio.create_task(send("alice", slowly())) for _ in range(VISITORS // 2)]
        await until(lambda: begun == len(slow))
        refused, other = await send("alice", one_byte()), await send("bob", b"no picture")
        leave.set()
        await asyncio.gather(*slow)
    assert (refused.status_code, problem_in(refused)["code"]) == (429, "tenant_limit")
    assert refused.headers["Retry-After"]
    assert other.status_code in (400, 422)


async def one_byte() -> AsyncIterator[bytes]:
    yield b"x"


async def test_a_crowd_is_told_when_to_come_back(services: Services) -> None:
    leave = asyncio.Event()

    class Slow:
        async def verify_file(self, picture: IO[bytes], caller: str) -> Verdict:
            await leave.wait()
            return Verdict(state=State.NO_EVIDENCE, text="nothing")

    async with client_of(replace(services, verifier=Slow())) as client:

        async def verify() -> int:
            answer = await client.post(VERIFY, content=b"x", headers={"Content-Type": "image/png"})
            if answer.status_code == 503:
                assert problem_in(answer)["code"] == "over_capacity"
                assert int(answer.headers["Retry-After"]) >= 1
                leave.set()
            return answer.status_code

        statuses = await asyncio.gather(*(verify() for _ in range(VISITORS + 1)))
    assert sorted(statuses) == [200] * VISITORS + [503]


async def test_a_verdict_is_counted_by_its_state(services: Services) -> None:
    async with client_of(services) as client:
        for _ in range(2):
            picture = encoded(shapes(64, 64))
            answer = await client.post(VERIFY, content=picture, headers={"Content-Type": "image/png"})
            assert answer.json()["state"] == "no_evidence"
        refused = await client.post(VERIFY, content=b"no picture", headers={"Content-Type": "image/png"})
        assert refused.status_code == 422
    shown = services.metrics.render().decode()
    assert 'darkroom_pictures_verified_total{state="no_evidence"} 2.0' in shown
    assert "darkroom_verify_duration_seconds_count 2.0" in shown


async def test_an_empty_body_is_a_problem(services: Services) -> None:
    async with client_of(services) as client:
        answer = await client.post(VERIFY, content=b"", headers={"Content-Type": "image/png"})
    assert (answer.status_code, problem_in(answer)["code"]) == (400, "malformed_body")
