"""A service that marks nothing, for development: credentials alone, and verify says that it looked for no mark."""

import io
import json
from collections.abc import Iterator
from typing import Any

import c2pa
import httpx
import pytest

from darkroom.contract.verdict import State
from darkroom.provenance.verdict import DEVELOPMENT_WORDS, NO_READER, WORDS
from tests.e2e.demo.service import up
from tests.e2e.provenance.asking import generate, verify
from tests.unit.provenance.making import decoded, encoded

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with up(tmp_path_factory.mktemp("service"), DARKROOM_WATERMARK="none") as service:
        yield service.url


def active(data: bytes, media_type: str) -> dict[str, Any]:
    with c2pa.Reader(media_type, io.BytesIO(data)) as reader:
        read = json.loads(reader.json())
    manifest: dict[str, Any] = read["manifests"][read["active_manifest"]]
    return manifest


def test_a_picture_without_a_mark_is_signed_and_claims_none(url: str) -> None:
    image, data = generate(url, seed=5)
    said = active(data, "image/png")
    assert "c2pa.soft-binding" not in [each["label"] for each in said["assertions"]]
    assert "c2pa.watermarked" not in json.dumps(said)
    assert not image["watermark_id"]
    verdict = verify(url, data)
    assert (verdict["state"], verdict["text"]) == ("intact", DEVELOPMENT_WORDS)
    assert (verdict["means"], verdict["watermark_id"], verdict["notes"]) == (["credential"], None, [NO_READER])
    assert verdict["owner"] is None  # nothing in the file leads to a record


def test_once_stripped_nothing_leads_back(url: str) -> None:
    _, data = generate(url, seed=5)
    verdict = verify(url, encoded(decoded(data)))
    assert (verdict["state"], verdict["text"]) == ("no_evidence", WORDS[State.NO_EVIDENCE])
    assert verdict["notes"] == [NO_READER]


def test_a_picture_is_made_from_another_and_carries_its_credential_on(url: str) -> None:
    first, data = generate(url, seed=5)
    sent = httpx.post(f"{url}/api/v1/assets", content=data, headers={"Content-Type": "image/png"}, timeout=30).json()
    _, second = generate(url, image=sent["id"], strength=0.5)
    (parent,) = active(second, "image/png")["ingredients"]
    assert parent["active_manifest"] == first["manifest_id"]
    assert "metadata" not in parent
    assert verify(url, second)["state"] == "intact"


def test_no_soft_binding_can_be_asked_for(url: str) -> None:
    answer = httpx.get(f"{url}/c2pa/v1/services/supportedAlgorithms", timeout=30)
    assert answer.json()["watermarks"] == []
    asked = {"alg": "org.darkroom.tss.1", "value": "AAAAAAAA"}
    refused = httpx.get(f"{url}/c2pa/v1/matches/byBinding", params=asked, timeout=30)
    assert (refused.status_code, refused.json()["detail"]) == (400, "alg: this service looks for no soft binding")
