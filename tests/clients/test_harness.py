"""The harness itself: each flavour serves, node runs with the packages it needs, and a failing script is noticed."""

import httpx
import pytest

from tests.clients.conftest import HERE, RunNode
from tests.clients.flavours import Running

ASKED = {"prompt": "a red circle on a white background", "steps": 4, "seed": 1}


def make_one(service: Running, tenant: str = "ann") -> httpx.Response:
    headers = {"Prefer": "wait=60", **service.headers(tenant)}
    return httpx.post(f"{service.url}/api/v1/generations", json=ASKED, headers=headers, timeout=90)


def test_anybody_is_served_where_no_keys_are(service: Running) -> None:
    made = make_one(service).json()
    assert made["state"] == "succeeded", made
    assert httpx.get(made["images"][0]["url"]).headers["content-type"] == "image/png"


def test_each_tenant_is_served_by_its_own_key_and_nobody_without_one(keyed: Running) -> None:
    made = make_one(keyed, "ann").json()
    assert made["state"] == "succeeded", made
    assert httpx.get(made["links"]["self"], headers=keyed.headers("ben")).status_code == 404
    assert httpx.post(f"{keyed.url}/api/v1/generations", json=ASKED).status_code == 401


def test_pictures_in_s3_are_had_by_presigned_links(on_s3: Running) -> None:
    made = make_one(on_s3).json()
    link = httpx.get(made["images"][0]["url"], headers=on_s3.headers())
    assert link.status_code == 307, link.text
    assert httpx.get(link.headers["location"]).headers["content-type"] == "image/png"


def test_node_reaches_the_service_and_has_its_packages(node: RunNode, service: Running) -> None:
    assert "pass 2" in node("harness.test.mjs", **service.environment())


def test_a_script_that_fails_fails_its_test(node: RunNode) -> None:
    with pytest.raises(AssertionError, match="pass 0"):
        node("harness.test.mjs", DARKROOM_URL="http://127.0.0.1:9")


def test_the_lock_names_no_registry() -> None:
    lock = (HERE / "package-lock.json").read_text()
    assert '"resolved"' not in lock
    assert "registry" not in lock
