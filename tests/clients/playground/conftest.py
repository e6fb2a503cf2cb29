"""A real browser on the playground of a real service. What it says on its console, or refuses, fails the test."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.clients.conftest import CHROMIUM_FLAGS, missing
from tests.clients.flavours import Running
from tests.clients.playground.driving import Playground

AXE = Path(__file__).parents[1] / "node_modules/axe-core/axe.min.js"
# What a network answers with 4xx is on the console too. Frames go with their job, which may end while one is fetched.
ALWAYS_SAID = (r"404 .*/previews/\d+$",)

# Milliseconds; a machine that does much else is slow.
PATIENCE = 30_000

Open = Callable[..., Playground]


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(CHROMIUM_FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Open]:
    """`open_page(service, said=[...])` opens the page in a browser of its own; `said` is what its console may say."""
    contexts: list[BrowserContext] = []
    heard: list[tuple[str, tuple[str, ...]]] = []

    def open_it(service: Running, said: tuple[str, ...] = (), ready: bool = True, **options: Any) -> Playground:
        options = {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark", **options}
        contexts.append(browser.new_context(**options))
        page = contexts[-1].new_page()
        listen(page, lambda words: heard.append((words, (*ALWAYS_SAID, *said))))
        return Playground(page, service).open(ready=ready)

    yield open_it
    for context in contexts:
        context.close()
    unexpected = [words for words, allowed in heard if not any(re.search(pattern, words) for pattern in allowed)]
    assert unexpected == []


def listen(page: Page, hear: Callable[[str], None]) -> None:
    page.set_default_timeout(PATIENCE)
    page.on("console", lambda said: hear(f"{said.text} {said.location['url']}") if said.type != "debug" else None)
    page.on("pageerror", lambda error: hear(f"uncaught {error}"))


@pytest.fixture
def playground(open_page: Open, service: Running) -> Playground:
    return open_page(service)


@pytest.fixture(scope="session")
def axe() -> str:
    return AXE.read_text() if AXE.exists() else missing("axe-core")
