from collections.abc import Callable
from typing import Any

import pytest

from darkroom.services import Services
from tests.fakes import fake_services
from tests.gateway import API_KEYS, GENERATIONS, client_of, problem_in

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


async def test_a_linked_picture_may_be_shown_on_pages_of_others_and_nothing_else_may() -> None:
    page = {"Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site"}
    async with client_of(fake_services(), base=OURS) as client:
        for method, path, code in (
            ("GET", "/api/v1/pictures/x.png", "bad_link"),
            ("HEAD", "/api/v1/pictures/x.png", None),
            ("POST", "/api/v1/pictures/x.png", "forbidden_origin"),
            ("GET", "/api/v1/pictures", "forbidden_origin"),
            ("GET", "/api/v1/picturesque/x.png", "forbidden_origin"),
        ):
            answer = await client.request(method, path, headers=page)
            assert (answer.status_code, code and problem_in(answer)["code"]) == (403, code)
        strange = await client.get("/api/v1/pictures/x.png", headers={"Host": "evil.example"})
        assert problem_in(strange)["code"] == "unknown_host"


async def test_our_own_pages_are_welcome() -> None:
    async with client_of(fake_services(), base=OURS) as client:
        assert (await client.get(GENERATIONS, headers={"Origin": OURS})).status_code == 200


def keyed(**settings: Any) -> Services:
    return fake_services(allow_anonymous=False, api_keys=API_KEYS, **settings)


@pytest.mark.parametrize(
    ("names", "host", "status"),
    [
        ([], "gpu.example", 200),
        (["GPU.example"], "gpu.example:8000", 200),
        (["pictures.example"], "gpu.example", 400),
        (["pictures.example"], "evil.pictures.example", 400),
        (["pictures.example"], "127.0.0.1", 200),
    ],
)
async def test_where_keys_are_asked_for_any_name_is_ours_until_names_are_listed(
    names: list[str], host: str, status: int
) -> None:
    async with client_of(keyed(allowed_hosts=names), "alice") as client:
        assert (await client.get(GENERATIONS, headers={"Host": host})).status_code == status


async def test_a_listed_name_is_ours_without_keys_too() -> None:
    async with client_of(fake_services(allowed_hosts=["darkroom.lan"])) as client:
        assert (await client.get("/livez", headers={"Host": "darkroom.lan"})).status_code == 200


@pytest.mark.parametrize("origin", ["https://app.example", "null", "http://127.0.0.1:99999"])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "OPTIONS"])
async def test_a_key_does_not_open_the_service_to_a_page_that_nobody_named(method: str, origin: str) -> None:
    async with client_of(keyed(), "alice") as client:
        answer = await client.request(method, GENERATIONS, headers={"Origin": origin, "Cookie": "a=b"})
    assert (answer.status_code, problem_in(answer)["code"]) == (403, "forbidden_origin")
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("make", [fake_services, keyed])
@pytest.mark.parametrize(
    ("site", "mode", "method", "status"),
    [
        ("same-origin", "cors", "POST", 415),
        ("none", "navigate", "GET", 200),
        ("cross-site", "navigate", "GET", 200),
        ("cross-site", "navigate", "POST", 403),
        ("cross-site", "no-cors", "GET", 403),
        ("same-site", "no-cors", "GET", 403),
        ("cross-site", "no-cors", "POST", 403),
        ("cross-site", "cors", "DELETE", 403),
        ("nonsense", "", "GET", 403),
    ],
)
async def test_what_a_browser_tells_of_where_a_request_came_from_counts(
    make: Callable[[], Services], site: str, mode: str, method: str, status: int
) -> None:
    headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode}
    async with client_of(make(), "alice") as client:
        assert (await client.request(method, GENERATIONS, headers=headers)).status_code == status


async def test_behind_tls_of_a_proxy_our_own_page_is_told_by_the_browser() -> None:
    headers = {"Host": "gpu.example", "Origin": "https://gpu.example", "Sec-Fetch-Site": "same-origin"}
    async with client_of(keyed(), "alice") as client:
        assert (await client.get(GENERATIONS, headers=headers)).status_code == 200


APP = "https://app.example"
PREFLIGHT = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}


async def test_pages_of_a_named_origin_may_ask_and_read_but_never_with_credentials_of_the_browser() -> None:
    async with client_of(keyed(cors_origins=[APP]), "alice") as client:
        asked = await client.options(GENERATIONS, headers={"Origin": APP, **PREFLIGHT})
        assert (asked.status_code, asked.headers["access-control-allow-origin"]) == (200, APP)
        answer = await client.post(GENERATIONS, json={"prompt": "a"}, headers={"Origin": APP})
        assert answer.status_code == 202
        assert (answer.headers["access-control-allow-origin"], answer.headers["vary"]) == (APP, "Origin")
        assert "Location" in answer.headers["access-control-expose-headers"]
        for told in (asked, answer):
            assert "access-control-allow-credentials" not in told.headers


@pytest.mark.parametrize(
    "origin", ["https://app.example.evil", "http://app.example", "https://app.example:8443", "null"]
)
async def test_pages_of_others_stay_out_when_one_is_named(origin: str) -> None:
    async with client_of(keyed(cors_origins=[APP]), "alice") as client:
        for method, more in (("OPTIONS", PREFLIGHT), ("GET", {})):
            answer = await client.request(method, GENERATIONS, headers={"Origin": origin, **more})
            assert answer.status_code == 403
            assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("origin", ["*", "null", "https://*.example", "app.example", "https://app.example/", "ftp://a"])
def test_an_origin_is_a_scheme_a_host_and_a_port(origin: str) -> None:
    with pytest.raises(ValueError, match="cors_origins"):
        fake_services(cors_origins=[origin])
