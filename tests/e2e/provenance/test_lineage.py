"""A picture that is made from another of ours names it, and carries its credential on."""

import base64
import io
import json
from typing import Any

import c2pa
import httpx
import pytest

from tests.e2e.provenance.asking import generate, verify

pytestmark = pytest.mark.slow


def parent_of(data: bytes, media_type: str) -> dict[str, Any]:
    with c2pa.Reader(media_type, io.BytesIO(data)) as reader:
        read = json.loads(reader.json())
    (parent,) = read["manifests"][read["active_manifest"]]["ingredients"]
    assert parent["active_manifest"] in read["manifests"]
    said: dict[str, Any] = parent
    return said


def inline(_url: str, data: bytes) -> str:
    return base64.b64encode(data).decode()


def asset(url: str, data: bytes) -> str:
    sent = httpx.post(f"{url}/api/v1/assets", content=data, headers={"Content-Type": "image/webp"}, timeout=30)
    assert sent.status_code == 201, sent.text
    named: str = sent.json()["id"]
    return named


@pytest.mark.parametrize(("send", "output_format"), [(inline, "png"), (asset, "webp")])
def test_the_second_picture_names_the_first_as_its_parent(url: str, send: Any, output_format: str) -> None:
    first, first_data = generate(url, output_format=output_format, seed=11)
    fields = {"task": "image_to_image", "image": send(url, first_data), "strength": 0.5, "output_format": output_format}
    second, data = generate(url, **fields)
    parent = parent_of(data, f"image/{output_format}")
    value = parent["metadata"]["org.darkroom.watermark"]["value"]

    assert parent["relationship"] == "parentOf"
    assert parent["active_manifest"] == first["manifest_id"]
    assert base64.b64decode(value).hex() == first["watermark_id"] != second["watermark_id"]
    assert (first["parents"], second["parents"]) == ([], [first["watermark_id"]])
    verdict = verify(url, data)
    assert verdict["owner"]["parents"] == [first["watermark_id"]]
    assert (verdict["state"], verdict["manifest_id"]) == ("intact", second["manifest_id"])
