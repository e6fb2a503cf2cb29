"""What each code means stands in one file; it covers the tree, and its examples are what the gateway answers."""

import base64
import hashlib
import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest

from darkroom.catalog import Catalog, open_catalog
from darkroom.errors.explained import Explained, error_kinds, explained
from darkroom.settings import Settings
from tests.fakes import fake_services
from tests.gateway import client_of, problem_in

ROOT = Path(__file__).parents[3]
PAGE = "/docs/errors"
# Nobody is answered with these: they are what more exact ones have in common.
KINDS_ALONE = {"forbidden", "conflict", "model_error", "no_picture"}
ASKED = [error for error in explained() if error.request]
SAID = [error for error in explained() if error.says and not error.request]


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    return open_catalog(Settings(home=tmp_path_factory.mktemp("home")))


@pytest.fixture
async def at_loopback(shipped: Catalog) -> AsyncIterator[httpx.AsyncClient]:
    """A service without keys that has all that ships with it."""
    async with client_of(replace(fake_services(allow_anonymous=True), catalog=shipped)) as client:
        yield client


def test_every_code_is_explained_once_and_no_other() -> None:
    codes = [error.code for error in explained()]
    assert len(set(codes)) == len(codes)
    assert set(codes) == {kind.code for kind in error_kinds()}


def test_every_code_has_a_cause_a_remedy_and_an_example() -> None:
    for error in explained():
        assert error.cause.endswith("."), error.code
        assert error.remedy.endswith("."), error.code
        assert bool(error.says) == (error.code not in KINDS_ALONE), error.code


@pytest.mark.parametrize("error", ASKED, ids=lambda error: error.code)
async def test_the_request_of_an_example_is_answered_as_the_page_says(
    at_loopback: httpx.AsyncClient, error: Explained
) -> None:
    head, _, body = error.request.strip().partition("\n\n")
    line, *headers = head.splitlines()
    method, path = line.split()
    sent = dict(header.split(": ", 1) for header in headers)
    answer = await at_loopback.request(method, path, headers=sent, content=body)
    found = problem_in(answer)
    assert (found["code"], answer.status_code) == (error.code, error.status), found
    assert re.fullmatch(".*".join(map(re.escape, error.says.split("…"))), found["detail"]), found["detail"]


@cache
def sources() -> str:
    """All text of the product, what f-strings put in as `…`, and literals that follow one another joined."""
    texts = (path.read_text() for name in ("darkroom", "api", "worker") for path in (ROOT / name).rglob("*.py"))
    return re.sub(r'"\s*f?"', "", re.sub(r"\{[^{}]*\}", "…", "\n".join(texts)))


@pytest.mark.parametrize("error", SAID, ids=lambda error: error.code)
def test_the_words_of_an_example_are_said_somewhere(error: Explained) -> None:
    parts = [part for part in error.says.split("…") if len(part) > 8]
    assert parts, "nothing that could be looked for"
    assert [part for part in parts if part not in sources()] == []


class Page(HTMLParser):
    """The ids of a page, and where its links go."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.ids += [str(given["id"])] if "id" in given else []
        self.links |= {str(given["href"])} if "href" in given else set()


async def test_a_browser_is_shown_a_page_that_every_type_leads_into(client: httpx.AsyncClient) -> None:
    answer = await client.get(PAGE, headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    page = Page(answer.text)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert page.ids == [error.code for error in explained()]
    assert page.links == {f"#{code}" for code in page.ids}
    assert "<script" not in answer.text
    assert "prefers-color-scheme: dark" in answer.text


async def test_the_pages_own_style_is_all_that_its_policy_lets_in(client: httpx.AsyncClient) -> None:
    answer = await client.get(PAGE, headers={"Accept": "text/html"})
    (style,) = re.findall(r"<style>(.*?)</style>", answer.text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = answer.headers["Content-Security-Policy"]
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; frame-ancestors 'none'"
    assert "style=" not in answer.text


async def test_programs_get_markdown_or_json(client: httpx.AsyncClient) -> None:
    plain = await client.get(PAGE, headers={"Accept": "*/*"})
    assert plain.headers["content-type"] == "text/markdown; charset=utf-8"
    assert plain.text == (ROOT / "docs" / "errors.md").read_text()
    told = json.loads((await client.get(PAGE, headers={"Accept": "application/problem+json"})).text)["errors"]
    assert [error["code"] for error in told] == [error.code for error in explained()]
    assert {"status", "retryable", "cause", "remedy"} <= set(told[0])
