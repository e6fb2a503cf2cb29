"""What a running service says of a picture whose record its operator forgot."""

import io
import subprocess

import httpx
import pytest
from PIL import Image

from tests.e2e.demo.service import DARKROOM, Up
from tests.e2e.provenance.asking import generate, verify

pytestmark = pytest.mark.slow


def bare(data: bytes) -> bytes:
    buffer = io.BytesIO()
    Image.open(io.BytesIO(data)).convert("RGB").save(buffer, "JPEG", quality=85)
    return buffer.getvalue()


def records(service: Up, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [DARKROOM, "records", *arguments]
    return subprocess.run(command, env=service.environment, capture_output=True, text=True, timeout=60)


def test_a_forgotten_picture_is_unknown_at_once_and_others_are_not(service: Up) -> None:
    (image, data), (_, kept) = generate(service.url, seed=31), generate(service.url, seed=32)
    assert verify(service.url, bare(data))["state"] == "recovered"
    job_id = image["url"].split("/")[-3]
    assert image["manifest_id"] in records(service, "show", job_id).stdout

    forgotten = records(service, "forget", job_id)

    assert (forgotten.returncode, "forgotten, with 1 manifest" in forgotten.stdout) == (0, True), forgotten.stderr
    stripped = verify(service.url, bare(data))
    assert (stripped["state"], stripped["owner"]) == ("unknown_id", None)
    assert verify(service.url, data)["state"] == "intact"
    assert verify(service.url, bare(kept))["state"] == "recovered"
    assert httpx.get(f"{service.url}/c2pa/v1/manifests/{image['manifest_id']}").status_code == 404
    assert records(service, "forget", job_id).stdout == f"{job_id}: nothing is kept\n"
