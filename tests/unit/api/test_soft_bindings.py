import httpx
import pytest

from darkroom.provenance.records import Records
from darkroom.services import Services
from tests.fakes import fake_services
from tests.gateway import API_KEYS, client_of, problem_in

LABEL = "urn:c2pa:0b0c9d5e-0000-4000-8000-000000000001"
MANIFESTS = "/c2pa/v1/manifests"


@pytest.mark.parametrize("query", ["", "?returnActiveManifest=true", "?returnActiveManifest=false"])
async def test_a_kept_manifest_comes_back_byte_for_byte(
    services: Services, client: httpx.AsyncClient, query: str
) -> None:
    await Records(services.store, b"").keep_manifest(LABEL, b"a signed manifest")
    answer = await client.get(f"{MANIFESTS}/{LABEL}{query}")
    assert (answer.status_code, answer.content) == (200, b"a signed manifest")
    assert answer.headers["Content-Type"] == "application/c2pa"


async def test_a_manifest_that_was_not_kept_is_not_found(client: httpx.AsyncClient) -> None:
    answer = await client.get(f"{MANIFESTS}/{LABEL}")
    assert (answer.status_code, problem_in(answer)["code"]) == (404, "not_found")


@pytest.mark.parametrize("asked", ["marks", "urn:c2pa:..", f"{LABEL}?returnActiveManifest=perhaps"])
async def test_what_cannot_be_asked_is_a_malformed_request(client: httpx.AsyncClient, asked: str) -> None:
    answer = await client.get(f"{MANIFESTS}/{asked}")
    assert (answer.status_code, problem_in(answer)["code"]) == (400, "malformed_request")


async def test_manifests_are_shown_to_key_holders_alone() -> None:
    async with client_of(fake_services(allow_anonymous=False, api_keys=API_KEYS)) as client:
        answer = await client.get(f"{MANIFESTS}/{LABEL}")
    assert (answer.status_code, problem_in(answer)["code"]) == (401, "unauthenticated")
