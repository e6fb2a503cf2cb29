"""The C2PA Soft Binding Resolution API, held to the table of its specification (2.2, OpenAPI 1.0.0)."""

import base64
from typing import Any

import httpx
import pytest

from darkroom.provenance import Stamped
from darkroom.services import Services
from tests.fakes import fake_services, fake_stamper
from tests.gateway import API_KEYS, bearer, client_of, problem_in
from tests.unit.provenance.making import cropped, decoded, encoded, facts, saved_as, shapes

BASE = "/c2pa/v1"
BY_BINDING, BY_CONTENT = f"{BASE}/matches/byBinding", f"{BASE}/matches/byContent"
LABEL = "urn:c2pa:0b0c9d5e-0000-4000-8000-000000000001"
ALG = "org.darkroom.tss.1"
PNG = {"Content-Type": "image/png"}


async def issued(services: Services, seed: int = 0) -> Stamped:
    told = facts("01JOB", seed, height=256, width=256)
    key = f"images/01JOB/{seed}.png"
    return await fake_stamper(services.store).issue(shapes(256, 256, seed), told, services.store, key)


def value_of(stamped: Stamped) -> str:
    return base64.b64encode(bytes.fromhex(stamped.watermark_id)).decode()


async def test_a_binding_leads_to_its_manifest_both_ways(client: httpx.AsyncClient, services: Services) -> None:
    stamped, other = await issued(services), await issued(services, 1)
    asked = {"alg": ALG, "value": value_of(stamped)}
    got = await client.get(BY_BINDING, params=asked)
    posted = await client.post(BY_BINDING, json=asked)
    assert (got.status_code, posted.status_code) == (200, 200)
    assert got.json() == posted.json() == {"matches": [{"manifestId": stamped.manifest_id, "similarityScore": 100}]}
    assert stamped.manifest_id != other.manifest_id


async def test_a_binding_that_was_never_issued_matches_nothing(client: httpx.AsyncClient) -> None:
    answer = await client.get(BY_BINDING, params={"alg": ALG, "value": base64.b64encode(bytes(6)).decode()})
    assert (answer.status_code, answer.json()) == (200, {"matches": []})


async def test_a_manifest_that_names_another_binding_is_no_match(client: httpx.AsyncClient, services: Services) -> None:
    stamped, other = await issued(services), await issued(services, 1)
    key = f"provenance/manifests/{stamped.manifest_id.removeprefix('urn:c2pa:')}.c2pa"
    await services.store.put(key, other.manifest, media_type="application/c2pa")
    answer = await client.get(BY_BINDING, params={"alg": ALG, "value": value_of(stamped)})
    assert answer.json() == {"matches": []}


async def test_a_cropped_and_recompressed_picture_leads_to_its_manifest(
    client: httpx.AsyncClient, services: Services
) -> None:
    stamped = await issued(services)
    away = encoded(saved_as(cropped(decoded(stamped.data), 0.1), "JPEG", 75))
    answer = await client.post(BY_CONTENT, content=away, headers=PNG, params={"alg": ALG, "maxResults": 3})
    (match,) = answer.json()["matches"]
    assert match["manifestId"] == stamped.manifest_id
    assert 70 <= match["similarityScore"] <= 100


async def test_a_picture_that_bears_a_copied_mark_is_no_match(client: httpx.AsyncClient, services: Services) -> None:
    stamped = await issued(services)
    copied = decoded(stamped.data).astype(int) - shapes(256, 256, 0) + shapes(256, 256, 5)
    answer = await client.post(BY_CONTENT, content=encoded(copied.clip(0, 255).astype("uint8")), headers=PNG)
    assert (answer.status_code, answer.json()) == (200, {"matches": []})
    verdict = await client.post(
        "/api/v1/provenance/verify", content=encoded(copied.clip(0, 255).astype("uint8")), headers=PNG
    )
    assert verdict.json()["state"] == "mark_mismatch"


async def test_the_manifest_is_handed_out_as_it_was_signed(client: httpx.AsyncClient, services: Services) -> None:
    stamped = await issued(services)
    answer = await client.get(f"{BASE}/manifests/{stamped.manifest_id}")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/c2pa")
    assert answer.content == stamped.manifest
    alone = await client.get(f"{BASE}/manifests/{stamped.manifest_id}", params={"returnActiveManifest": "true"})
    assert alone.content == stamped.manifest  # it has no ingredient
    assert b"ann-the-tenant" not in answer.content


async def test_a_manifest_that_was_not_kept_is_not_found(client: httpx.AsyncClient) -> None:
    answer = await client.get(f"{BASE}/manifests/{LABEL}")
    assert (answer.status_code, problem_in(answer)["code"]) == (404, "not_found")


@pytest.mark.parametrize("asked", ["marks", "urn:c2pa:..", f"{LABEL}?returnActiveManifest=perhaps"])
async def test_what_cannot_be_asked_of_manifests_is_a_400(client: httpx.AsyncClient, asked: str) -> None:
    answer = await client.get(f"{BASE}/manifests/{asked}")
    assert (answer.status_code, problem_in(answer)["code"]) == (400, "malformed_request")


async def test_anybody_may_ask_which_algorithms_are_supported() -> None:
    keyed = fake_services(api_keys=API_KEYS, allow_anonymous=False)
    async with client_of(keyed) as client:
        answer = await client.get(f"{BASE}/services/supportedAlgorithms")
        assert answer.json() == {"watermarks": [{"alg": ALG}], "fingerprints": []}
        refused = await client.get(BY_BINDING, params={"alg": ALG, "value": "AAAAAAAA"})
        assert refused.status_code == 401
        allowed = await client.get(BY_BINDING, params={"alg": ALG, "value": "AAAAAAAA"}, headers=bearer("bob"))
        assert allowed.status_code == 200


GOOD = {"alg": ALG, "value": "AAAAAAAA"}
WRONG: list[tuple[dict[str, Any], int, str]] = [
    ({"value": "AAAAAAAA"}, 400, "malformed_request"),
    ({"alg": ALG}, 400, "malformed_request"),
    ({**GOOD, "alg": "com.adobe.trustmark.Q"}, 400, "malformed_request"),
    ({**GOOD, "value": "***"}, 400, "malformed_request"),
    ({**GOOD, "value": "AAAA"}, 400, "malformed_request"),
    ({**GOOD, "maxResults": "0"}, 400, "malformed_request"),
    ({**GOOD, "maxResults": "many"}, 400, "malformed_request"),
    ({**GOOD, "value": "A" * 4000}, 414, "long_address"),
]


@pytest.mark.parametrize(("asked", "status", "code"), WRONG)
async def test_wrong_parameters_are_answered_as_specified(
    client: httpx.AsyncClient, asked: dict[str, Any], status: int, code: str
) -> None:
    answer = await client.get(BY_BINDING, params=asked)
    assert (answer.status_code, problem_in(answer)["code"]) == (status, code)


@pytest.mark.parametrize("body", [b"{}", b'{"alg": 1, "value": "AAAAAAAA"}', b'{"alg": "x"', b"[]"])
async def test_wrong_bodies_are_400(client: httpx.AsyncClient, body: bytes) -> None:
    answer = await client.post(BY_BINDING, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400


@pytest.mark.parametrize(("data", "kind"), [(b"no picture", "image/png"), (b"%PDF-1.7", "application/pdf")])
async def test_content_that_is_no_picture_is_an_unsupported_media_type(
    client: httpx.AsyncClient, data: bytes, kind: str
) -> None:
    answer = await client.post(BY_CONTENT, content=data, headers={"Content-Type": kind})
    assert (answer.status_code, problem_in(answer)["code"]) == (415, "unsupported_media_type")


async def test_an_algorithm_that_is_not_looked_for_is_refused_of_content_too(client: httpx.AsyncClient) -> None:
    answer = await client.post(BY_CONTENT, content=encoded(shapes(64, 64)), headers=PNG, params={"alg": "other"})
    assert answer.status_code == 400


async def test_lookups_are_counted() -> None:
    async with client_of(fake_services(verify_per_minute=1)) as client:
        first = await client.get(BY_BINDING, params=GOOD)
        second = await client.post(BY_CONTENT, content=encoded(shapes(64, 64)), headers=PNG)
    assert (first.status_code, second.status_code) == (200, 429)
    assert int(second.headers["Retry-After"]) >= 1
