"""Worker and gateway over a real S3 server: the picture is where the gateway points, and it is proven."""

import hashlib
from pathlib import Path

import httpx
import pytest

from darkroom.ledger.server import LocalRedis
from darkroom.services import build_gateway_services
from tests.e2e.worker.service import running
from tests.gateway import GENERATIONS, client_of
from tests.servers.seaweedfs import S3Server

VERIFY = "/api/v1/provenance/verify"


@pytest.mark.slow
async def test_a_picture_goes_through_s3_and_comes_back_proven(
    tmp_path: Path, valkey: LocalRedis, key_prefix: str, seaweedfs: S3Server
) -> None:
    async with running(tmp_path, valkey.url, key_prefix, **seaweedfs.settings()) as worker:
        await worker.in_state("ready")
        settings = worker.settings.model_copy(update={"allow_anonymous": True})
        async with client_of(build_gateway_services(settings)) as client:
            asked = {"prompt": "a red circle", "seed": 1, "steps": 8}
            answer = await client.post(GENERATIONS, json=asked, headers={"Prefer": "wait=60"}, timeout=90)
            assert answer.status_code == 200, answer.text
            (image,) = answer.json()["images"]

            pointed = await client.get(image["url"])
            assert (pointed.status_code, pointed.content) == (307, b"")
            assert pointed.headers["Location"].startswith(seaweedfs.endpoint)
            async with httpx.AsyncClient(trust_env=False) as elsewhere:
                picture = await elsewhere.get(pointed.headers["Location"])
            assert picture.headers["Content-Type"] == "image/png"
            assert hashlib.sha256(picture.content).hexdigest() == image["sha256"]

            verdict = (await client.post(VERIFY, content=picture.content, headers={"Content-Type": "image/png"})).json()
            assert (verdict["state"], verdict["manifest_id"]) == ("intact", image["manifest_id"])
        assert not (tmp_path / "store").exists(), "nothing went into a folder"
