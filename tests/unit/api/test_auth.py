import hashlib
import hmac

import pytest

from api.auth import ANONYMOUS_TENANT, KeyRing
from darkroom.errors import Unauthenticated
from tests.fakes import fake_services
from tests.gateway import API_KEYS, GENERATIONS, KEYS, client_of, problem_in


def test_a_key_names_its_tenant() -> None:
    ring = KeyRing(API_KEYS, allow_anonymous=False)
    assert {tenant: ring.tenant(key) for tenant, key in KEYS.items()} == {"alice": "alice", "bob": "bob"}


def test_digests_may_be_written_in_capitals() -> None:
    ring = KeyRing({digest.upper(): tenant for digest, tenant in API_KEYS.items()}, allow_anonymous=False)
    assert ring.tenant(KEYS["bob"]) == "bob"


@pytest.mark.parametrize("key", [None, "", "dk_wrong", KEYS["alice"][:-1], KEYS["alice"] + " ", "\ud800", *API_KEYS])
def test_anything_else_is_nobody(key: str | None) -> None:
    with pytest.raises(Unauthenticated):
        KeyRing(API_KEYS, allow_anonymous=False).tenant(key)


def test_without_keys_everyone_on_this_machine_is_the_local_tenant() -> None:
    ring = KeyRing({}, allow_anonymous=True)
    assert ring.tenant(None) == ring.tenant("clients of other services always send one") == ANONYMOUS_TENANT


def test_a_wrong_key_is_refused_even_where_none_is_needed() -> None:
    ring = KeyRing(API_KEYS, allow_anonymous=True)
    assert ring.tenant(None) == ANONYMOUS_TENANT
    with pytest.raises(Unauthenticated):
        ring.tenant("dk_wrong")


def test_without_keys_and_without_leave_nobody_enters() -> None:
    with pytest.raises(Unauthenticated):
        KeyRing({}, allow_anonymous=False).tenant("any")


def test_every_digest_is_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[bytes] = []

    def watched(known: bytes, given: bytes) -> bool:
        compared.append(known)
        return hmac_compare(known, given)

    hmac_compare = hmac.compare_digest
    monkeypatch.setattr("api.auth.hmac.compare_digest", watched)
    KeyRing(API_KEYS, allow_anonymous=False).tenant(KEYS["alice"])
    assert compared == [digest.encode() for digest in API_KEYS]
    assert hashlib.sha256(KEYS["alice"].encode()).hexdigest().encode() in compared


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer ", "Basic ", "Basic Og==", "bearer wrong", KEYS["alice"], "Token x"]
)
async def test_a_header_without_a_known_key_is_told_how(header: str | None) -> None:
    async with client_of(fake_services(allow_anonymous=False, api_keys=API_KEYS)) as client:
        answer = await client.get(GENERATIONS, headers={} if header is None else {"Authorization": header})
    assert (answer.status_code, problem_in(answer)["code"]) == (401, "unauthenticated")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


async def test_the_scheme_is_known_in_any_case() -> None:
    async with client_of(fake_services(allow_anonymous=False, api_keys=API_KEYS)) as client:
        answer = await client.get(GENERATIONS, headers={"Authorization": f"bearer {KEYS['alice']}"})
    assert answer.status_code == 200
