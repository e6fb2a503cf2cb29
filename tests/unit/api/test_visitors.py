import pytest

from tests.fakes import fake_services
from tests.gateway import API_KEYS, GENERATIONS, bearer, client_of, problem_in

OURS = "http://127.0.0.1:8000"


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.0.0.1:8000", "localhost:1", "LOCALHOST", "[::1]:8000", "127.1.2.3", "dark.localhost"]
)
async def test_names_of_this_machine_are_ours(host: str) -> None:
    async with client_of(fake_services()) as client:
        assert (await client.get("/livez", headers={"Host": host})).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1.evil.example", "192.168.1.7", "0.0.0.0", "[::]", "", "a b", "[", "127.0.0.1:x", "é",
     "localhost.evil", "127.0.0.1@evil.example", "[::1", "2130706433", "x" * 5000],
)  # fmt: skip
async def test_any_other_name_is_refused(host: str) -> None:
    async with client_of(fake_services()) as client:
        answer = await client.get("/livez", headers={"Host": host.encode()})
    assert (answer.status_code, problem_in(answer)["code"]) == (400, "unknown_host")


async def test_the_public_address_is_ours() -> None:
    async with client_of(fake_services(public_url="https://pictures.example/")) as client:
        for headers in ({"Host": "pictures.example"}, {"Host": "127.0.0.1", "Origin": "https://pictures.example"}):
            assert (await client.get("/livez", headers=headers)).status_code == 200


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "OPTIONS"])
@pytest.mark.parametrize(
    "origin",
    ["null", "http://evil.example", "http://127.0.0.1:99999", "http://127.0.0.1:8001", "https://127.0.0.1:8000",
     "http://localhost:8000", "", "://", "http://[", "é"],
)  # fmt: skip
async def test_pages_of_other_origins_are_refused(method: str, origin: str) -> None:
    async with client_of(fake_services(), base=OURS) as client:
        answer = await client.request(method, GENERATIONS, headers={"Origin": origin.encode(), "Cookie": "a=b"})
    assert (answer.status_code, problem_in(answer)["code"]) == (403, "forbidden_origin")


async def test_our_own_pages_are_welcome() -> None:
    async with client_of(fake_services(), base=OURS) as client:
        assert (await client.get(GENERATIONS, headers={"Origin": OURS})).status_code == 200


async def test_where_keys_are_asked_for_they_alone_decide() -> None:
    headers = {"Host": "gpu.example", "Origin": "https://app.example", **bearer("alice")}
    async with client_of(fake_services(allow_anonymous=False, api_keys=API_KEYS)) as client:
        assert (await client.get(GENERATIONS, headers=headers)).status_code == 200
