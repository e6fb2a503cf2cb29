"""What a slip of the hand, a long line or a picture that is gone must not cost."""

import re

import httpx
import pytest
from playwright.sync_api import Page, Route, expect

from tests.clients.flavours import Running
from tests.clients.playground.conftest import Open
from tests.clients.playground.driving import LONG, Playground, png_of
from training.shapes import Item, draw

CIRCLE = png_of(draw([Item("circle", (215, 40, 45), 64, 64, 30)], (255, 255, 255)))
RED_CIRCLE = "a red circle on a white background"

# Words or a link that are dragged over an element and let go: whether the page kept the browser from acting.
DROP_WORDS = """(target, type) => ["dragover", "drop"].map((kind) => {
  const dataTransfer = new DataTransfer();
  dataTransfer.setData(type, "https://example.org/");
  const event = new DragEvent(kind, { bubbles: true, cancelable: true, dataTransfer });
  target.dispatchEvent(event);
  return event.defaultPrevented;
})"""
PASTE = """(target, [words, data]) => {
  const clipboardData = new DataTransfer();
  if (words) clipboardData.setData("text/plain", words);
  const bytes = Uint8Array.from(data);
  clipboardData.items.add(new File([bytes], "pasted.png", { type: "image/png" }));
  target.dispatchEvent(new ClipboardEvent("paste", { bubbles: true, cancelable: true, clipboardData }));
}"""


def focused(page: Page) -> str:
    words: str = page.evaluate("document.activeElement.id || document.activeElement.textContent.trim()")
    return words


def test_words_are_dropped_where_words_go_and_a_link_leads_nowhere(playground: Playground) -> None:
    page = playground.page
    assert page.locator("#prompt").evaluate(DROP_WORDS, "text/plain") == [False, False]
    assert page.locator("#stage").evaluate(DROP_WORDS, "text/uri-list") == [True, True]
    expect(page.locator("#toast")).to_have_text("")


def test_words_that_are_pasted_with_their_picture_are_words(playground: Playground) -> None:
    prompt, inspector = playground.page.locator("#prompt"), playground.page.locator("#inspector")
    prompt.evaluate(PASTE, ["a table of figures", list(CIRCLE)])
    expect(inspector).to_be_hidden()
    prompt.evaluate(PASTE, ["", list(CIRCLE)])
    expect(inspector).to_be_visible()


def test_a_click_closes_a_dialog_only_beside_it(playground: Playground) -> None:
    page = playground.page
    playground.press("Check a picture")
    inspector = page.locator("#inspector")
    box = inspector.bounding_box()
    assert box
    page.mouse.click(box["x"] + 5, box["y"] + 5)
    expect(inspector).to_be_visible()
    page.mouse.move(box["x"] + 30, box["y"] + 30)
    page.mouse.down()
    page.mouse.move(2, 2)
    page.mouse.up()
    expect(inspector).to_be_visible()
    page.mouse.click(2, 2)
    expect(inspector).to_be_hidden()


def test_a_stroke_that_misses_does_not_cost_the_mask(playground: Playground) -> None:
    page = playground.page
    playground.choose("#input-file", CIRCLE)
    page.get_by_role("radio", name="Repaint a part").check()
    playground.press("Paint the mask")
    playground.press("Invert")
    page.mouse.click(2, 2)
    box = page.locator("#painter-canvas").bounding_box()
    assert box
    page.mouse.click(box["x"] + 9, box["y"] + 9, button="right")
    playground.press("Undo")
    expect(page.locator("#painter-said")).to_have_text("0 % is made anew")


def test_the_keyboard_stays_where_it_was_when_the_stage_changes(playground: Playground) -> None:
    page = playground.page
    playground.generate(prompt=RED_CIRCLE, n=2, steps=3)
    page.locator("#strip .thumb").nth(1).focus()
    page.keyboard.press("Enter")
    expect(page.locator("#strip .thumb").nth(1)).to_be_focused()
    page.get_by_role("button", name="Full size").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Escape")
    expect(page.locator("#strip .thumb").first).to_have_attribute("aria-current", "true")
    expect(page.get_by_role("button", name="Full size")).to_be_focused()
    playground.fill(n=4, **LONG)
    playground.press("Generate")
    page.locator("#caption").get_by_role("button", name="Cancel").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#easel")).to_contain_text("Canceled.")
    expect(page.locator("#stage")).to_be_focused()


@pytest.mark.parametrize(("width", "height"), [(512, 128), (128, 512)])
def test_a_picture_fills_its_paper_whatever_its_shape(playground: Playground, width: int, height: int) -> None:
    playground.generate(prompt=RED_CIRCLE, width=width, height=height, steps=2)
    shown = playground.page.locator("#easel img").bounding_box()
    assert shown
    assert shown["width"] / shown["height"] == pytest.approx(width / height, rel=0.01)


def test_more_than_are_followed_at_once_are_sketched_and_followed_in_turn(playground: Playground) -> None:
    page = playground.page
    for number in range(5):
        playground.fill(prompt=f"{number} {RED_CIRCLE}", **LONG)
        playground.press("Generate")
        expect(page.locator("#caption .words")).to_contain_text(str(number))
    expect(page.locator("#easel img")).to_be_visible()
    with page.expect_request(re.compile(r"/events$")):
        page.locator("#jobs").get_by_role("button", name="Cancel “0").click()
    for number in range(1, 4):
        page.locator("#jobs").get_by_role("button", name=f"Cancel “{number}").click()
    # The last one is on the stage alone.
    expect(page.locator("#tray")).to_be_hidden()
    playground.cancel()
    expect(page.locator("#easel")).to_contain_text("Canceled.")


def test_a_number_that_is_missing_is_not_taken_for_nothing(open_page: Open, service: Running) -> None:
    playground = open_page(service, said=("422",))
    playground.page.get_by_text("LoRAs", exact=False).first.click()
    playground.press("Add a LoRA")
    weight = playground.page.get_by_label("Weight")
    weight.fill("")
    playground.fill(prompt=RED_CIRCLE)
    playground.press("Generate")
    expect(weight).to_have_accessible_description("Input should be a valid number")


def test_a_key_may_be_left_for_later_and_the_head_stays_one_line_beside_it(open_page: Open, keyed: Running) -> None:
    page = open_page(keyed, said=("401",), ready=False, viewport={"width": 360, "height": 740}).page
    expect(page.get_by_role("dialog")).to_be_visible()
    page.get_by_role("button", name="Not now").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    for name in ("Check a picture", "API key"):
        box = page.get_by_role("button", name=name).bounding_box()
        assert box
        assert box["height"] < 45
    brand = page.get_by_role("heading", name="darkroom")
    assert brand.evaluate("brand => brand.getClientRects()[0].height") < 30
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_what_is_chosen_from_far_below_comes_into_sight(playground: Playground) -> None:
    page = playground.page
    playground.generate(prompt=RED_CIRCLE, n=16, steps=1)
    stage = page.locator("#easel").bounding_box()
    assert stage
    page.evaluate("y => scrollTo(0, y)", stage["y"] + 0.8 * stage["height"])
    page.locator("#history .tile").nth(3).click()
    expect(page.locator("#easel img")).to_be_in_viewport(ratio=0.9)


def test_a_service_that_comes_late_is_waited_for(open_page: Open, service: Running) -> None:
    playground = open_page(service, said=("503",))
    page = playground.page
    away = {"status": 503, "json": {"code": "ledger_unavailable", "detail": "the ledger is away"}}
    page.route("**/api/v1/models", lambda route: route.fulfill(**away))
    playground.open(ready=False)
    expect(page.get_by_role("alert")).to_contain_text("The ledger is away.")
    page.locator("#reset").evaluate("button => button.click()")
    page.unroute("**/api/v1/models")
    expect(page.locator("body.ready")).to_be_attached()
    expect(page.get_by_role("alert")).to_be_hidden()


def gone(route: Route) -> None:
    route.fulfill(status=404, json={"code": "not_found", "detail": "no such picture"})


@pytest.mark.parametrize("flavour", ["service", "keyed"])
def test_a_picture_that_is_gone_is_said_to_be(open_page: Open, flavour: str, request: pytest.FixtureRequest) -> None:
    service: Running = request.getfixturevalue(flavour)
    playground = open_page(service, said=("404", "401"), ready=not service.keys)
    page = playground.page
    if service.keys:
        page.get_by_label("API key", exact=True).fill(service.keys["ann"])
        playground.press("Use this key")
    page.route("**/images/0", gone)
    playground.fill(prompt=RED_CIRCLE, steps=3)
    playground.press("Generate")
    for place in ("#easel img", "#history .tile img >> nth=0"):
        expect(page.locator(place)).to_have_attribute("src", re.compile(r"/playground/gone\.svg$"), timeout=60_000)
    playground.press("Use as input")
    expect(page.get_by_role("alert")).to_have_text("No such picture.")
    expect(page.get_by_role("alert")).to_be_in_viewport()


def test_of_a_long_sheet_only_what_is_near_is_fetched_with_a_key(open_page: Open, keyed: Running) -> None:
    asked = {"prompt": RED_CIRCLE, "steps": 1, "n": 16}
    for _ in range(3):
        sent = httpx.post(
            f"{keyed.url}/api/v1/generations",
            json=asked,
            headers={**keyed.headers(), "Prefer": "wait=60"},
            timeout=90,
        )
        assert sent.status_code == 200
    playground = open_page(keyed, said=("401",), ready=False, viewport={"width": 360, "height": 400})
    page, fetched = playground.page, []
    page.on("request", lambda request: fetched.append(request.url) if "/images/" in request.url else None)
    page.get_by_label("API key", exact=True).fill(keyed.keys["ann"])
    playground.press("Use this key")
    last = page.locator("#history .tile img").last
    expect(last).to_be_attached()
    expect(page.locator("#easel img")).to_have_js_property("naturalWidth", 128)
    assert len(fetched) < 40
    last.scroll_into_view_if_needed()
    expect(last).to_have_js_property("naturalWidth", 128)
    assert len(fetched) == len(set(fetched)), "one fetch a picture"
