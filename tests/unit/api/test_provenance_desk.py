import asyncio
from dataclasses import replace
from typing import IO

import pytest

from api.desk import AT_ONCE, IN_LINE, VISITORS, Crowd, Desk
from darkroom.errors import CapacityError
from darkroom.provenance import State, Verdict
from darkroom.services import Services
from tests.gateway import client_of, problem_in
from tests.unit.provenance.making import encoded, shapes

VERIFY = "/api/v1/provenance/verify"


async def test_few_are_served_at_once_and_few_may_wait() -> None:
    desk, leave = Desk(), asyncio.Event()
    inside = 0

    async def visit() -> None:
        nonlocal inside
        async with desk:
            inside += 1
            await leave.wait()

    visits = [asyncio.create_task(visit()) for _ in range(AT_ONCE + IN_LINE)]
    await asyncio.sleep(0)
    assert inside == AT_ONCE
    with pytest.raises(CapacityError):
        async with desk:
            pass
    leave.set()
    await asyncio.gather(*visits)
    assert inside == AT_ONCE + IN_LINE
    async with desk:
        pass


async def test_those_who_leave_the_line_make_room() -> None:
    desk, leave = Desk(), asyncio.Event()

    async def visit() -> None:
        async with desk:
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
    for _ in range(VISITORS - 1):
        crowd.__enter__()
    for _ in range(2):
        with crowd, pytest.raises(CapacityError):
            crowd.__enter__()


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
