"""Models, and places in line, that the service of these tests does not have: only those answers are made up."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Route, expect

from tests.clients.playground.driving import Playground

SDXL = {
    "name": "sdxl",
    "title": "Stable Diffusion XL",
    "family": "sdxl",
    "native_width": 1024,
    "native_height": 1024,
    "min_size": 512,
    "max_size": 2048,
    "size_multiple": 8,
    "default_steps": 30,
    "default_guidance_scale": 5.0,
    "default_scheduler": "euler",
    "max_clip_skip": 10,
}


def add(playground: Playground, path: str, name: str, *entries: dict[str, Any]) -> None:
    """What `GET path` lists, and these as well."""

    def answer(route: Route) -> None:
        listed = route.fetch().json()
        listed[name] += [{**listed[name][0], **entry} if listed[name] else entry for entry in entries]
        route.fulfill(json=listed)

    playground.page.route(f"**/api/v1/{path}", answer)


@pytest.fixture
def rich(playground: Playground) -> Playground:
    """The page of a service with a larger model, a refiner and a VAE."""
    refiner = {**SDXL, "name": "refiner", "title": "Refiner", "family": "sdxl_refiner"}
    add(playground, "models", "models", SDXL, refiner)
    add(playground, "vaes", "vaes", {"name": "soft", "models": ["sdxl"]})
    return playground.open()


def test_what_was_blocked_is_told_in_the_words_of_people(playground: Playground) -> None:
    made = playground.generate(prompt="a red circle", steps=2)
    failure = {"code": "blocked", "message": "image 0 was flagged: sexual 0.93 (threshold 0.80)", "retryable": False}
    withheld = {**made, "id": "01AAAAAAAAAAAAAAAAAAAAAAAA", "state": "blocked", "images": [], "failure": failure}
    page = playground.page
    page.route("**/api/v1/generations?*", lambda route: route.fulfill(json={"generations": [withheld], "cursor": None}))
    playground.open()
    page.get_by_role("button", name="Withheld. a red circle").click()
    told = page.get_by_text("Picture 1 was flagged: sexual 0.93 (threshold 0.80). Nothing was kept of it.")
    expect(told).to_be_visible()
    expect(page.locator("#easel img")).to_have_count(0)


def asked(playground: Playground) -> dict[str, Any]:
    """What the page would send, without its being made."""
    playground.press("Copy as code")
    playground.page.get_by_role("tab", name="curl").click()
    code = playground.page.locator("#snippet").inner_text()
    playground.page.keyboard.press("Escape")
    found: dict[str, Any] = json.loads(code[code.index("-d '") + 4 : code.rindex("'")])
    return found


def test_another_model_brings_its_own_defaults_and_leaves_what_was_chosen(rich: Playground) -> None:
    rich.fill(prompt="a house", steps=44, model="sdxl")
    sent = asked(rich)
    assert (sent["width"], sent["height"], sent["guidance_scale"], sent["scheduler"]) == (1024, 1024, 5, "euler")
    assert sent["steps"] == 44, "chosen, and no default"
    rich.page.get_by_role("radio", name="16:9").check()
    sent = asked(rich)
    assert (sent["width"], sent["height"]) == (1368, 768)
    expect(rich.page.locator("#loras-group")).to_be_hidden()
    rich.fill(model="tiny")
    assert asked(rich)["model"] == "tiny"
    expect(rich.page.locator("#loras-group")).to_be_visible()


def test_a_refiner_and_a_vae_are_offered_where_they_fit(rich: Playground) -> None:
    page = rich.page
    expect(page.locator("#refiner-group")).to_be_hidden()
    assert page.locator("#model option").all_inner_texts() == ["tiny", "Stable Diffusion XL"]
    rich.fill(prompt="a house", model="sdxl")
    page.get_by_text("Refiner").first.click()
    rich.fill(refiner_model="refiner", refiner_switch_at="0.7")
    page.get_by_text("More", exact=True).click()
    rich.fill(vae="soft")
    sent = asked(rich)
    assert (sent["refiner"], sent["vae"]) == ({"model": "refiner", "switch_at": 0.7}, "soft")
    rich.fill(model="tiny")
    assert not {"refiner", "vae"} & set(asked(rich))


@pytest.mark.parametrize(
    ("queue", "words"),
    [
        ({"position": 0, "ahead_seconds": 3.0, "workers": 1}, "Next in line · ready in about 12 s"),
        ({"position": 2, "ahead_seconds": 90.0, "workers": 1}, "3. in line · ready in about 12 s"),
        ({"position": 0, "ahead_seconds": 0.0, "workers": 0}, "Waiting · no worker serves this model now"),
        ({"position": None, "ahead_seconds": 0.0, "workers": 1}, "Waiting to be tried again · ready in about 12 s"),
    ],
)
def test_who_waits_is_told_how_long(playground: Playground, queue: dict[str, Any], words: str) -> None:
    page = playground.page

    def wait(route: Route) -> None:
        eta = (datetime.now(UTC) + timedelta(seconds=12.4)).isoformat()
        answer = route.fetch()
        if answer.status != 202:
            return route.fulfill(response=answer)
        return route.fulfill(response=answer, json={**answer.json(), "state": "queued", "queue": queue, "eta": eta})

    page.route("**/api/v1/generations", wait)
    page.route("**/api/v1/generations/*/events", lambda route: None)  # nothing happens yet
    playground.fill(prompt="a red circle", steps=100)
    playground.press("Generate")
    expect(page.locator("#caption .figures")).to_have_text(words)
    playground.cancel()
