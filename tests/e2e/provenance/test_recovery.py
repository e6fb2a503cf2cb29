"""A picture goes out, loses its metadata and some of its quality, and is still led back to its record."""

import io
import json

import c2pa
import httpx
import pytest
from PIL import Image

from tests.e2e.provenance.asking import generate, verify

pytestmark = pytest.mark.slow


def stripped(data: bytes, media: str, quality: int, *, keep: float = 1.0) -> bytes:
    """The pixels alone, or so much of each side from the middle, saved anew."""
    pixels = Image.open(io.BytesIO(data)).convert("RGB")
    left, top = (round(side * (1 - keep) / 2) for side in pixels.size)
    bare = pixels.crop((left, top, pixels.width - left, pixels.height - top))
    bare.info.clear()
    buffer = io.BytesIO()
    bare.save(buffer, media, quality=quality)
    assert b"c2pa" not in buffer.getvalue()
    return buffer.getvalue()


@pytest.mark.parametrize("output_format", ["png", "jpeg", "webp"])
def test_a_stripped_picture_saved_as_jpeg_75_leads_back_to_its_manifest(url: str, output_format: str) -> None:
    image, data = generate(url, output_format=output_format, seed=11)
    other, _ = generate(url, output_format=output_format, seed=12)
    as_it_left = verify(url, data)
    assert (as_it_left["state"], as_it_left["manifest_id"]) == ("intact", image["manifest_id"])

    verdict = verify(url, stripped(data, "JPEG", 75))

    assert verdict["state"] == "recovered"
    assert verdict["manifest_id"] == image["manifest_id"] != other["manifest_id"]
    assert verdict["watermark_id"] == image["watermark_id"]
    assert verdict["means"] == ["watermark"]
    assert verdict["generation"]["seed"] == 11
    assert verdict["signer"]["development"] is True


@pytest.mark.parametrize("keep", [0.95, 0.9, 0.75])
def test_a_stripped_cropped_and_recompressed_picture_leads_back_to_its_manifest(url: str, keep: float) -> None:
    image, data = generate(url, width=256, height=256, seed=21)
    cropped = stripped(data, "JPEG", 75, keep=keep)
    assert Image.open(io.BytesIO(cropped)).size < (256, 256)

    verdict = verify(url, cropped)

    assert verdict["state"] == "recovered"
    assert verdict["manifest_id"] == image["manifest_id"]
    assert verdict["generation"]["seed"] == 21


def test_another_tool_follows_a_stripped_picture_to_the_manifest_that_was_signed(url: str) -> None:
    image, data = generate(url, width=256, height=256, seed=22)
    bare = stripped(data, "JPEG", 75, keep=0.9)
    base = f"{url}/c2pa/v1"
    (watermark,) = httpx.get(f"{base}/services/supportedAlgorithms").json()["watermarks"]
    answer = httpx.post(
        f"{base}/matches/byContent", params=watermark, content=bare, headers={"Content-Type": "image/jpeg"}, timeout=30
    )
    (match,) = answer.json()["matches"]
    assert match["manifestId"] == image["manifest_id"]
    assert match["similarityScore"] >= 70

    store = httpx.get(f"{base}/manifests/{match['manifestId']}").content

    with c2pa.Reader("application/c2pa", io.BytesIO(store)) as reader:
        said = json.loads(reader.json())
    assert said["active_manifest"] == image["manifest_id"]
    results = said["validation_results"]["activeManifest"]
    assert "claimSignature.validated" in {entry["code"] for entry in results["success"]}
    failures = {entry["code"] for entry in results["failure"]}
    assert failures <= {"assertion.dataHash.mismatch", "signingCredential.untrusted"}


def test_the_prompt_is_told_to_its_owner_and_is_in_nothing_that_leaves(url: str) -> None:
    _, data = generate(url, prompt="a red circle on a white background", negative_prompt="zanzibar")
    assert b"zanzibar" not in data
    assert b"red circle" not in data
    verdict = verify(url, stripped(data, "WEBP", 80))
    assert "red circle" in verdict.pop("owner")["prompt"]
    assert "circle" not in str(verdict)


def test_a_changed_picture_is_not_called_intact(url: str) -> None:
    image, data = generate(url)
    verdict = verify(url, data[:-8] + b"\0" * 8)
    assert verdict["state"] in ("modified", "modified_recovered")
    assert verdict["manifest_id"] == image["manifest_id"]
