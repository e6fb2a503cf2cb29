import re

import httpx
import pytest

from api.page import FOLDER, files
from tests.fakes import fake_services
from tests.gateway import API_KEYS, client_of, problem_in

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


def rules_of(answer: httpx.Response) -> dict[str, str]:
    """directive -> its sources."""
    rules = answer.headers["Content-Security-Policy"].split("; ")
    return {name: sources for name, _, sources in (rule.partition(" ") for rule in rules)}


async def test_a_browser_is_shown_the_page_also_without_a_key() -> None:
    async with client_of(fake_services(api_keys=API_KEYS)) as client:
        answer = await client.get("/", headers=BROWSER)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert answer.text.startswith("<!doctype html>")
    assert answer.headers["Vary"] == "Accept"


@pytest.mark.parametrize(
    "accept", [None, "*/*", "application/json", "text/html;q=0, */*", "text/html;q=0.0", "image/*"]
)
async def test_programs_are_pointed_the_way(client: httpx.AsyncClient, accept: str | None) -> None:
    answer = await client.get("/", headers={"Accept": accept} if accept else {})
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json()["name"] == "darkroom"
    assert answer.headers["Vary"] == "Accept"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"


async def test_every_file_comes_with_its_type_and_is_not_sent_twice(client: httpx.AsyncClient) -> None:
    types = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
    for name in files():
        answer = await client.get(f"/playground/{name}")
        assert answer.content == (FOLDER / name).read_bytes()
        assert answer.headers["Content-Type"].partition(";")[0] == types[(FOLDER / name).suffix]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-cache"


async def test_a_file_that_is_held_already_is_not_sent_again(client: httpx.AsyncClient) -> None:
    path = "/playground/playground.js"
    etag = (await client.get(path)).headers["ETag"]
    again = await client.get(path, headers={"If-None-Match": etag})
    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", etag)
    assert (await client.get(path, headers={"If-None-Match": '"another"'})).status_code == 200


@pytest.mark.parametrize(
    "name",
    ["", "%2e%2e%2fpage.py", "..%2Fapp.py", "../app.py", "/etc/passwd", "%2Fetc%2Fpasswd", "no.js", "index.html%00"],
)
async def test_nothing_else_is_a_file_of_the_page(client: httpx.AsyncClient, name: str) -> None:
    answer = await client.get(f"/playground/{name}")
    assert (answer.status_code, problem_in(answer)["code"]) == (404, "not_found")


async def test_the_page_may_load_nothing_from_elsewhere(client: httpx.AsyncClient) -> None:
    rules = rules_of(await client.get("/", headers=BROWSER))
    assert rules["default-src"] == "'self'"
    assert rules["img-src"] == "'self' data: blob:"
    assert rules["frame-ancestors"] == "'none'"
    assert not any("unsafe" in sources for sources in rules.values())
    again = await client.get("/", headers={**BROWSER, "If-None-Match": "*"})
    assert again.status_code == 304
    assert rules_of(again) == rules


@pytest.mark.parametrize(
    ("settings", "sources"),
    [
        ({"s3_endpoint": "http://inside:9000"}, "http://inside:9000"),
        ({"s3_endpoint": "http://inside:9000", "s3_public_endpoint": "https://s3.example/x"}, "https://s3.example"),
        ({"s3_bucket": "b"}, "https://b.s3.amazonaws.com https://b.s3.us-east-1.amazonaws.com"),
        ({"s3_bucket": "b.c"}, "https://s3.amazonaws.com https://s3.us-east-1.amazonaws.com"),
    ],
)
async def test_pictures_may_come_from_where_presigned_urls_lead(settings: dict[str, str], sources: str) -> None:
    async with client_of(fake_services(store="s3", **settings)) as client:
        rules = rules_of(await client.get("/", headers=BROWSER))
    assert rules["img-src"] == f"'self' data: blob: {sources}"
    assert rules["connect-src"] == f"'self' {sources}"


async def test_an_operator_may_do_without_the_page() -> None:
    async with client_of(fake_services(playground=False)) as client:
        assert (await client.get("/", headers=BROWSER)).json()["name"] == "darkroom"
        assert (await client.get("/playground/index.html")).status_code == 404


def test_the_page_has_no_script_and_no_style_inside() -> None:
    page = files()["index.html"].body.decode()
    assert re.findall(r"<script(?![^>]* src=)|<style| style=| on\w+=|javascript:", page) == []


def test_all_that_the_page_names_is_there_and_below_its_own_address() -> None:
    page = files()["index.html"].body.decode()
    named = re.findall(r'(?:src|href)="([^"#]+)"', page)
    assert len(named) == 3
    assert {name.removeprefix("playground/") for name in named} <= set(files())
    for name, file in files().items():
        imported = re.findall(r'from "\./([^"]+)"', file.body.decode())
        assert set(imported) <= set(files()), name


def test_every_element_that_a_script_names_is_in_the_page() -> None:
    page = files()["index.html"].body.decode()
    there = set(re.findall(r' id="([^"]+)"', page))
    assert len(there) == len(re.findall(r' id="', page)), "an id is there twice"
    named = {id_ for file in files().values() for id_ in re.findall(r'\$\("([\w-]+)"\)', file.body.decode())}
    assert named - there == set()
