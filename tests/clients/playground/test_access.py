"""The page for everybody: without a mouse, with a screen reader, on a small screen, in either light."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.clients.flavours import Running
from tests.clients.playground.conftest import Open
from tests.clients.playground.driving import LONG, Playground, png_of
from training.shapes import Item, draw

CIRCLE = png_of(draw([Item("circle", (215, 40, 45), 64, 64, 30)], (255, 255, 255)))
WIDE, SMALL = {"width": 1280, "height": 900}, {"width": 360, "height": 740}


def violations(page: Page, axe: str) -> list[str]:
    """What axe-core finds, each with the element it is about."""
    found: list[dict[str, Any]] = page.evaluate(
        f"async () => {{ {axe}; return (await axe.run(document)).violations; }}"
    )
    return [f"{each['id']}: {node['html'][:150]} {node['failureSummary']}" for each in found for node in each["nodes"]]


def scenes(playground: Playground) -> Iterator[str]:
    """The page in each of its states, one after another."""
    page = playground.page
    yield "new"
    playground.generate(prompt="a red circle on a white background", n=2, steps=6)
    yield "a picture"
    for group in page.locator("details").all():
        group.evaluate("group => { group.open = true }")
    playground.press("Add a LoRA")
    playground.press("Add a ControlNet")
    playground.choose("#control-file-0", CIRCLE)
    expect(page.get_by_alt_text("Picture to follow")).to_be_visible()
    playground.choose("#input-file", CIRCLE)
    page.get_by_role("radio", name="Repaint a part").check()
    playground.press("Generate")
    expect(page.get_by_role("alert")).to_contain_text("paint what is to be made anew")
    yield "everything open, and a refusal"
    playground.press("Paint the mask")
    yield "painting"
    playground.press("Invert")
    playground.press("Use this mask")
    expect(page.locator("#input-mask")).to_be_visible()
    playground.press("Where is it from?")
    expect(page.locator("#verdict .state")).to_be_visible()
    yield "a verdict"
    page.keyboard.press("Escape")
    playground.press("Copy as code")
    yield "code"
    page.keyboard.press("Escape")
    playground.press("Full size")
    yield "full size"
    page.keyboard.press("Escape")
    playground.fill(steps=150, n=16)
    playground.press("Generate")
    expect(page.locator("#caption")).to_contain_text("Developing")
    yield "developing"
    playground.cancel()


@pytest.mark.parametrize("scheme", ["dark", "light"])
@pytest.mark.parametrize("size", [WIDE, SMALL], ids=["wide", "small"])
def test_axe_finds_nothing_and_nothing_is_cut_off(
    open_page: Open, service: Running, axe: str, scheme: str, size: dict[str, int]
) -> None:
    # Moving colours have no contrast to measure.
    playground = open_page(service, viewport=size, color_scheme=scheme, reduced_motion="reduce")
    for scene in scenes(playground):
        assert violations(playground.page, axe) == [], scene
        overflow = playground.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert overflow <= 0, scene


def test_the_dialog_for_the_key_passes_axe(open_page: Open, keyed: Running, axe: str) -> None:
    playground = open_page(keyed, said=("401",), ready=False)
    expect(playground.page.get_by_role("dialog")).to_be_visible()
    assert violations(playground.page, axe) == []


def focused(page: Page) -> str:
    name: str = page.evaluate(
        "document.activeElement === document.body ? '' : document.activeElement.id ||"
        " document.activeElement.textContent.trim()"
    )
    return name


def tab_to(page: Page, name: str, most: int = 80, key: str = "Tab") -> None:
    for _ in range(most):
        if focused(page) == name:
            return
        page.keyboard.press(key)
    raise AssertionError(f"{name} cannot be reached")


def test_a_picture_is_made_kept_and_looked_through_without_a_mouse(playground: Playground) -> None:
    page = playground.page
    # The second time from further down, where all pictures of the sheet would lie on the way forward.
    for words, key in (
        ("a red circle on a white background", "Tab"),
        ("a blue star on a yellow background", "Shift+Tab"),
    ):
        tab_to(page, "prompt", key=key)
        page.keyboard.press("Control+a")
        page.keyboard.type(words)
        tab_to(page, "steps")
        page.keyboard.press("Control+a")
        page.keyboard.type("5")
        page.keyboard.press("Control+Enter")
        expect(page.locator("#caption .words")).to_have_text(words)
        expect(page.locator("#easel .paper.fresh")).to_be_visible(timeout=60_000)
        page.evaluate("document.activeElement.blur()")
    caption = page.locator("#caption .words")
    page.keyboard.press("ArrowRight")
    expect(caption).to_have_text("a red circle on a white background")
    page.keyboard.press("ArrowLeft")
    expect(caption).to_have_text("a blue star on a yellow background")
    tab_to(page, "Full size")
    page.keyboard.press("Enter")
    viewer = page.get_by_role("dialog", name="Full size")
    expect(viewer.get_by_role("img")).to_have_attribute("alt", re.compile("a blue star"))
    page.keyboard.press("ArrowRight")
    expect(viewer.get_by_role("img")).to_have_attribute("alt", re.compile("a red circle"))
    with page.expect_download() as download:
        tab_to(page, "Download")
        page.keyboard.press("Enter")
    assert re.fullmatch(r"\w{26}-0\.png", download.value.suggested_filename)
    page.keyboard.press("Escape")
    expect(viewer).to_be_hidden()
    expect(caption).to_have_text("a red circle on a white background")
    tab_to(page, "Restore settings")
    page.keyboard.press("Enter")
    expect(page.locator("#prompt")).to_be_focused()
    expect(page.locator("#prompt")).to_have_value("a red circle on a white background")


def test_the_focus_can_always_be_seen(playground: Playground) -> None:
    page = playground.page
    unseen: list[str] = []
    for _ in range(40):
        page.keyboard.press("Tab")
        outlined = page.evaluate(
            """() => [document.activeElement, document.activeElement.nextElementSibling,
                document.activeElement.previousElementSibling]
              .some((each) => each && getComputedStyle(each).outlineStyle !== "none")"""
        )
        if not outlined and focused(page):
            unseen.append(focused(page))
    assert unseen == []


def test_the_light_can_be_turned_on_and_stays(playground: Playground) -> None:
    page = playground.page
    ground = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(ground)
    theme = page.locator("#theme")
    expect(theme).to_have_accessible_name("Colours: as the system has it")
    theme.click()
    assert page.evaluate(ground) == dark
    theme.click()
    expect(theme).to_have_accessible_name("Colours: light")
    light = page.evaluate(ground)
    assert light != dark
    playground.open()
    assert page.evaluate(ground) == light


def test_nothing_moves_for_who_wants_it_still(open_page: Open, service: Running) -> None:
    playground = open_page(service, reduced_motion="reduce")
    playground.fill(prompt="a red circle", **LONG)
    playground.press("Generate")
    expect(playground.page.locator("#caption")).to_contain_text("Developing")
    assert playground.page.evaluate("document.getAnimations().length") == 0
    playground.cancel()


def test_on_a_small_screen_the_picture_comes_into_sight_when_it_is_asked_for(open_page: Open, service: Running) -> None:
    playground = open_page(service, viewport=SMALL)
    playground.fill(prompt="a red circle", **LONG)
    playground.page.locator("#more-group").scroll_into_view_if_needed()
    expect(playground.page.locator("#easel")).not_to_be_in_viewport()
    playground.page.locator("#scheduler").press("Control+Enter")
    expect(playground.page.locator("#easel progress")).to_be_in_viewport()
    playground.cancel()


def test_a_browser_that_may_keep_nothing_shows_the_page_all_the_same(open_page: Open, service: Running) -> None:
    playground = open_page(service)
    refusing = "{ get() { throw new DOMException('no', 'SecurityError') } }"
    for storage in ("localStorage", "sessionStorage"):
        playground.page.add_init_script(f"Object.defineProperty(window, '{storage}', {refusing})")
    playground.open()
    playground.page.locator("#theme").click()
    expect(playground.page.locator("#theme")).to_have_accessible_name("Colours: dark")
    playground.generate(prompt="a red circle", steps=4)
