"""What is done while the page still asks what there is to ask for."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Page, Route, expect

from tests.clients.flavours import Running
from tests.clients.playground.conftest import Open
from tests.clients.playground.driving import Playground, png_of
from training.shapes import Item, draw

CATALOG = "**/api/v1/capabilities"
HISTORY = "**/api/v1/generations?limit=*"
ASSETS = "**/api/v1/assets/*"
CIRCLE = png_of(draw([Item("circle", (215, 40, 45), 64, 64, 30)], (255, 255, 255)))


@contextmanager
def held(page: Page, pattern: str) -> Iterator[list[Route]]:
    """Requests that get no answer before the block ends. The ones after it are answered as ever."""
    waiting: list[Route] = []
    page.route(pattern, lambda route: waiting.append(route))
    yield waiting
    for route in waiting:
        route.continue_()
    page.unroute(pattern)


def test_words_written_before_the_models_are_known_stay_and_the_settings_of_before_too(playground: Playground) -> None:
    page = playground.page
    playground.fill(prompt="a blue square", seed=11, steps=9)
    playground.field("Steps").blur()
    with held(page, CATALOG) as waiting:
        page.reload()
        expect(playground.field("Steps")).to_be_disabled()
        expect(page.get_by_text("As large as the picture it starts from")).to_be_hidden()
        expect(page.get_by_text("What you make appears here.")).to_be_hidden()
        playground.fill(prompt="a red circle")
        playground.field("Negative prompt").focus()
        assert waiting
    expect(page.locator("body.ready")).to_be_attached()
    form = playground.read_form()
    assert (form["prompt"], form["seed"], form["steps"]) == ("a red circle", "11", "9")


def test_what_is_refused_late_for_want_of_a_key_does_not_ask_for_the_key_again(open_page: Open, keyed: Running) -> None:
    playground = open_page(keyed, said=("401",), ready=False)
    page = playground.page
    with held(page, CATALOG) as waiting:
        page.reload()
        page.get_by_label("API key", exact=True).fill(keyed.keys["ann"])
        keyless = list(waiting)
        assert len(keyless) == 1
        playground.press("Use this key")
        for route in keyless:
            waiting.remove(route)
            with page.expect_response(CATALOG) as refused:
                route.continue_()
            assert refused.value.status == 401
    expect(page.locator("body.ready")).to_be_attached()
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_what_is_made_before_the_sheet_is_known_stays_on_the_stage_and_on_the_sheet(playground: Playground) -> None:
    page = playground.page
    playground.generate(prompt="a blue square", steps=2)
    with held(page, HISTORY) as waiting:
        playground.open()
        made = playground.generate(prompt="a red circle", steps=2)
        assert waiting
        # As if it had been looked up before this one was accepted.
        listed = playground.get("generations?limit=24").json()
        listed["generations"] = [each for each in listed["generations"] if each["id"] != made["id"]]
        waiting.pop().fulfill(json=listed)
        expect(page.locator("#history .tile").nth(1)).to_be_attached()
    expect(page.locator("#caption .words")).to_have_text("a red circle")
    expect(page.locator("#history .tile").first).to_have_attribute("title", re.compile("a red circle"))


def test_what_is_asked_for_before_the_picture_of_before_is_back_starts_from_it(playground: Playground) -> None:
    page = playground.page
    playground.choose("#input-file", CIRCLE)
    playground.fill(prompt="a red circle", strength="0.4", steps=4)
    page.locator("#steps").blur()
    asked = page.expect_response(lambda answer: answer.request.method == "POST" and answer.status == 202)
    with asked as sent, held(page, ASSETS) as waiting:
        page.reload()
        expect(page.locator("#model option")).not_to_have_count(0)
        expect(page.locator("#steps")).to_be_disabled()
        playground.press("Generate")
        assert waiting
    assert sent.value.json()["plan"]["task"] == "image_to_image"
