"""What callers ask of a running service."""

from typing import Any

import httpx


def generate(url: str, **fields: Any) -> tuple[dict[str, Any], bytes]:
    """What the service says of one picture it made, and the picture."""
    asked = {"prompt": "a red circle on a white background", "steps": 4, **fields}
    made = httpx.post(f"{url}/api/v1/generations", json=asked, headers={"Prefer": "wait=60"}, timeout=90).json()
    assert made["state"] == "succeeded", made
    (image,) = made["images"]
    got = httpx.get(f"{url}/api/v1/generations/{made['id']}/images/0", follow_redirects=True, timeout=30)
    assert got.status_code == 200, got.text
    return image, got.content


def verify(url: str, data: bytes) -> dict[str, Any]:
    answer = httpx.post(
        f"{url}/api/v1/provenance/verify", content=data, headers={"Content-Type": "image/jpeg"}, timeout=60
    )
    assert answer.status_code == 200, answer.text
    verdict: dict[str, Any] = answer.json()
    return verdict
