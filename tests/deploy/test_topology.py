"""The composition as plain processes: the same commands, variables and secrets, with users of Redis and S3."""

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from darkroom.services.deployment import begin
from deploy.local.topology import Running, Topology, started

GENERATIONS = "/api/v1/generations"
ASKED = {"prompt": "a red circle on a white background", "steps": 8}


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Topology, str]]:
    here = tmp_path_factory.mktemp("installation")
    key = begin(here, "studio")
    with started(here, gateway=2, worker=2) as topology:
        yield topology, key


async def test_a_picture_is_made_fetched_and_proven(client: httpx.AsyncClient) -> None:
    made = await client.post(GENERATIONS, json=ASKED, headers={"Prefer": "wait=60"})
    assert made.json()["state"] == "succeeded", made.text
    picture = await client.get(made.json()["images"][0]["url"], follow_redirects=False)
    assert picture.status_code == 307, "the store presigns it"
    async with httpx.AsyncClient(trust_env=False) as stranger:
        bytes_of = (await stranger.get(picture.headers["Location"])).raise_for_status().content
    found = await client.post("/api/v1/provenance/verify", content=bytes_of, headers={"Content-Type": "image/png"})
    assert found.json()["state"] == "intact"


async def test_nobody_comes_in_without_a_key(client: httpx.AsyncClient) -> None:
    client.headers.pop("Authorization")
    assert (await client.get("/api/v1/models")).status_code == 401
    assert (await client.get("/metrics")).status_code == 404, "the proxy shows it to nobody"


async def test_everything_is_restarted_one_by_one_under_load_and_no_job_fails(
    installation: tuple[Topology, str], client: httpx.AsyncClient
) -> None:
    topology, _ = installation
    going, ids = asyncio.Event(), list[str]()
    asking = asyncio.create_task(_ask_on(client, going, ids))
    restarted = 0
    for running in [each for each in topology.running if each.service in ("courier", "worker", "gateway")]:
        await _restart(topology, running)
        restarted += 1
    going.set()
    await asking
    assert restarted == 5
    assert len(ids) >= 10
    ends = [await _end(client, job_id) for job_id in ids]
    assert {job["state"] for job in ends} == {"succeeded"}, [job["failure"] for job in ends]
    assert not [job["lost_attempts"] for job in ends if job["lost_attempts"]], "each was drained, and none killed"


async def _ask_on(client: httpx.AsyncClient, enough: asyncio.Event, ids: list[str]) -> None:
    """As a careful client does: a refusal or a cut connection is asked again, under the same idempotency key."""
    number = 0
    while not enough.is_set():
        number += 1
        while (job := await _submitted(client, f"rolling-{number}")) is None:
            await asyncio.sleep(0.2)
        ids.append(job["id"])
        await asyncio.sleep(0.5)


async def _submitted(client: httpx.AsyncClient, key: str) -> dict[str, Any] | None:
    try:
        answer = await client.post(GENERATIONS, json=ASKED, headers={"Idempotency-Key": key})
    except httpx.TransportError:
        return None
    if answer.status_code in (502, 503, 504):
        return None
    assert answer.status_code == 202, answer.text
    job: dict[str, Any] = answer.json()
    return job


async def _restart(topology: Topology, running: Running) -> None:
    await asyncio.to_thread(topology.stop_one, running)
    again = topology.start_one(running.service, running.replica)
    if running.service == "worker":
        await asyncio.to_thread(topology.wait_for_workers)
    elif running.service == "gateway":
        await _answers(topology.gateways[again.replica])


async def _answers(port: int) -> None:
    until = time.monotonic() + 60
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
        while time.monotonic() < until:
            try:
                (await client.get("/readyz")).raise_for_status()
                return
            except httpx.HTTPError:
                await asyncio.sleep(0.1)
    raise AssertionError("the gateway did not come back")


async def _end(client: httpx.AsyncClient, job_id: str) -> dict[str, Any]:
    until = time.monotonic() + 120
    while time.monotonic() < until:
        job: dict[str, Any] = (await client.get(f"{GENERATIONS}/{job_id}")).json()
        if job["state"] not in ("queued", "running"):
            return job
        await asyncio.sleep(0.2)
    raise AssertionError(f"{job_id} has not ended")
