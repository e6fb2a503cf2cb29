"""A ledger that is older than the bucket, and a bucket that is older than the ledger: what callers see then."""

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest

from darkroom.services.deployment import begin
from deploy.local.topology import Topology, started

GENERATIONS = "/api/v1/generations"
ASKED = {"prompt": "a red circle on a white background", "steps": 8, "seed": 7}
LEDGER = Path("deploy/compose/data/ledger/appendonlydir")


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Topology, str]]:
    here = tmp_path_factory.mktemp("installation")
    key = begin(here, "studio")
    with started(here) as topology:
        yield topology, key


async def test_a_ledger_that_is_older_than_the_bucket_has_its_last_jobs_made_again(
    installation: tuple[Topology, str], client: httpx.AsyncClient, tmp_path: Path
) -> None:
    topology, _ = installation
    first = (await client.post(GENERATIONS, json=ASKED, headers={"Prefer": "wait=60"})).json()
    (worker,) = topology.of("worker")
    await asyncio.to_thread(topology.stop_one, worker)
    waiting = (await client.post(GENERATIONS, json=ASKED)).json()
    shutil.copytree(topology.folder / LEDGER, tmp_path / "copy")
    topology.start_one("worker", 0)
    made = await _ended(client, waiting["id"])
    before = await _bytes_of(client, made)

    await asyncio.to_thread(topology.stop_one, topology.of("valkey")[0])
    shutil.rmtree(topology.folder / LEDGER)
    shutil.copytree(tmp_path / "copy", topology.folder / LEDGER)
    topology.start_ledger()

    again = await _ended(client, waiting["id"])
    after = await _bytes_of(client, again)
    assert (made["state"], again["state"]) == ("succeeded", "succeeded"), again
    assert again["images"][0]["watermark_id"] == made["images"][0]["watermark_id"]
    assert again["images"][0]["sha256"] == made["images"][0]["sha256"], "the picture is that of before, adopted"
    assert before == after
    for data in (after, await _bytes_of(client, await _ended(client, first["id"]))):
        assert (await _verdict(client, data)) == "intact"


async def test_a_picture_that_the_bucket_lacks_is_not_there_and_its_job_is(
    installation: tuple[Topology, str], client: httpx.AsyncClient
) -> None:
    topology, _ = installation
    made = (await client.post(GENERATIONS, json=ASKED, headers={"Prefer": "wait=60"})).json()
    _emptied(topology, f"images/{made['id']}")
    assert (await _ended(client, made["id"]))["state"] == "succeeded"
    led = await client.get(made["images"][0]["url"], follow_redirects=False)
    assert led.status_code == 307
    async with httpx.AsyncClient(trust_env=False) as stranger:
        assert (await stranger.get(led.headers["Location"])).status_code == 404


def _emptied(topology: Topology, folder: str) -> None:
    keys = {
        "aws_access_key_id": topology.variables["DARKROOM_S3_ACCESS_KEY"],
        "aws_secret_access_key": topology.variables["DARKROOM_S3_SECRET_KEY"],
    }
    url = f"http://127.0.0.1:{topology.s3}"
    client = boto3.session.Session().client("s3", endpoint_url=url, region_name="us-east-1", **keys)
    found = client.list_objects_v2(Bucket="darkroom", Prefix=folder).get("Contents", ())
    assert found
    for each in found:
        client.delete_object(Bucket="darkroom", Key=each["Key"])
    client.close()


async def _bytes_of(client: httpx.AsyncClient, job: dict[str, Any]) -> bytes:
    led = await client.get(job["images"][0]["url"], follow_redirects=False)
    async with httpx.AsyncClient(trust_env=False) as stranger:
        return (await stranger.get(led.headers["Location"])).raise_for_status().content


async def _verdict(client: httpx.AsyncClient, data: bytes) -> str:
    found = await client.post("/api/v1/provenance/verify", content=data, headers={"Content-Type": "image/png"})
    return str(found.json()["state"])


async def _ended(client: httpx.AsyncClient, job_id: str) -> dict[str, Any]:
    async with asyncio.timeout(120):
        while True:
            answer = await client.get(f"{GENERATIONS}/{job_id}")
            if answer.status_code == 200 and answer.json()["state"] not in ("queued", "running"):
                job: dict[str, Any] = answer.json()
                return job
            await asyncio.sleep(0.2)
