"""Pictures from pictures: varied, repainted, extended, followed."""

import io
import re

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.clients.playground.driving import MARK, RGB, Playground, pixels, png_of, seen_in
from training.shapes import Item, draw


@pytest.fixture(scope="module")
def circle() -> RGB:
    """A red circle in the middle of white paper, 128 x 128."""
    return draw([Item("circle", (215, 40, 45), 64, 64, 30)], (255, 255, 255))


def mask_of(playground: Playground, generation: dict[str, object]) -> np.ndarray:
    asset = generation["plan"]["start"]["mask"]["sha256"]  # type: ignore[index]
    return pixels(playground.get(f"assets/{asset}").content)[..., 0] >= 128


def test_a_chosen_picture_is_varied(playground: Playground, circle: RGB) -> None:
    playground.choose("#input-file", png_of(circle))
    expect(playground.page.locator("#input-picture")).to_be_visible()
    expect(playground.page.get_by_role("radio", name="Vary it")).to_be_checked()
    made = playground.generate(prompt="a red circle on a white background", strength="0.5", seed=7)
    assert made["plan"]["task"] == "image_to_image"
    assert (made["plan"]["start"]["strength"], made["plan"]["start"]["kind"]) == (0.5, "image")
    assert [found.pair for found in seen_in(playground.picture(made)).objects] == [("red", "circle")]


def test_only_what_was_painted_over_is_made_anew(playground: Playground, circle: RGB) -> None:
    page = playground.page
    playground.drop(png_of(circle), "#dropzone")
    page.get_by_role("radio", name="Repaint a part").check()
    playground.press("Paint the mask")
    expect(page.get_by_role("button", name="Use this mask")).to_be_disabled()
    playground.fill(**{"brush-size": 40})
    playground.paint((0.3, 0.5), (0.7, 0.5))
    playground.paint((0.1, 0.1), (0.2, 0.1))
    playground.press("Undo")
    playground.press("Eraser")
    playground.paint((0.5, 0.2), (0.5, 0.35))
    expect(page.locator("#painter-said")).to_have_text(re.compile(r"^1\d % is made anew$"))
    playground.press("Use this mask")
    expect(page.locator("#input-mask")).to_be_visible()
    made = playground.generate(prompt="a blue star on a white background", masked_content="fill", seed=7, steps=30)

    mask = mask_of(playground, made)
    assert mask[64, 30:98].all(), "the stroke"
    assert not mask[:20].any(), "what was undone"
    assert mask[52, 40], "the stroke beside what was erased"
    assert not mask[52, 64], "what was erased"
    changed = np.abs(pixels(playground.picture(made)).astype(int) - circle).max(axis=2)
    assert changed[~mask].max() <= MARK
    assert np.median(changed[mask]) > 2 * MARK


def test_a_mask_can_be_inverted_cleared_and_given_up(playground: Playground, circle: RGB) -> None:
    page = playground.page
    playground.choose("#input-file", png_of(circle))
    page.get_by_role("radio", name="Repaint a part").check()
    playground.press("Generate")
    expect(page.get_by_role("alert")).to_contain_text("paint what is to be made anew")
    playground.press("Paint the mask")
    said = page.locator("#painter-said")
    playground.press("Invert")
    expect(said).to_have_text("100 % is made anew")
    playground.press("Clear")
    expect(said).to_have_text("0 % is made anew")
    playground.press("Invert")
    playground.press("Cancel")
    expect(page.locator("#input-mask")).to_be_hidden()
    expect(page.get_by_role("button", name="Paint the mask")).to_be_visible()


def test_a_mask_is_painted_with_the_keyboard_alone(playground: Playground, circle: RGB) -> None:
    page = playground.page
    playground.choose("#input-file", png_of(circle))
    page.get_by_role("radio", name="Repaint a part").check()
    playground.press("Paint the mask")
    page.locator("#painter-canvas").focus()
    page.keyboard.press("Space")
    for _ in range(4):
        page.keyboard.press("Shift+ArrowRight")
    expect(page.locator("#painter-said")).to_have_text(re.compile(r"^\d+ % is made anew$"))
    page.keyboard.press("Control+z")
    playground.press("Use this mask")
    expect(page.locator("#input-mask")).to_be_visible()
    painted = page.locator("#input-mask").evaluate(
        "canvas => [40, 64, 80].map((x) => canvas.getContext('2d').getImageData(x, 64, 1, 1).data[3])"
    )
    assert painted == [0, 255, 255]


def test_a_picture_is_extended_to_its_sides(playground: Playground, circle: RGB) -> None:
    playground.choose("#input-file", png_of(circle))
    playground.page.get_by_role("radio", name="Extend it").check()
    made = playground.generate(
        prompt="a red circle on a white background", expand_left=32, expand_right=32, expand_top=0, seed=7
    )
    picture = pixels(playground.picture(made))
    assert picture.shape == (128, 192, 3)
    seam = made["plan"]["start"]["feather"]
    inside = np.abs(picture[:, 32 + seam : 160 - seam].astype(int) - circle[:, seam : 128 - seam])
    assert inside.max() <= MARK


def test_a_finished_picture_is_the_next_ones_beginning(playground: Playground) -> None:
    playground.generate(prompt="a blue star on a yellow background", seed=7)
    playground.press("Use as input")
    expect(playground.page.locator("#input-hint")).to_have_text("128 × 128")
    made = playground.generate(strength="0.4")
    assert made["plan"]["task"] == "image_to_image"
    playground.press("Remove")
    assert playground.generate(steps=4)["plan"]["task"] == "text_to_image"


def test_the_map_of_a_picture_is_seen_and_then_followed(playground: Playground) -> None:
    page = playground.page
    drawn = draw([Item("star", (215, 40, 45), 64, 64, 36)], (255, 255, 255))
    page.get_by_text("ControlNets").click()
    playground.press("Add a ControlNet")
    playground.press("Show its map")
    expect(page.locator("#toast")).to_have_text("Choose a picture first.")
    playground.choose("#control-file-0", png_of(drawn))
    expect(page.get_by_alt_text("Picture to follow")).to_be_visible()
    playground.press("Show its map")
    shown = page.get_by_alt_text("Its map")
    expect(shown).to_be_visible(timeout=30_000)
    fetched = playground.get(str(shown.get_attribute("src")).partition("/api/v1/")[2]).content
    lines = np.asarray(Image.open(io.BytesIO(fetched)).convert("L"))
    assert 0.005 < (lines > 128).mean() < 0.3, "lines on black"
    made = playground.generate(prompt="a blue star on a yellow background", seed=7)
    (control,) = made["plan"]["controls"]
    assert (control["type"], control["preprocess"], control["scale"]) == ("canny", True, 1.0)
    assert [found.pair for found in seen_in(playground.picture(made)).objects] == [("blue", "star")]


def test_loras_and_a_second_pass_are_asked_for(playground: Playground) -> None:
    page = playground.page
    page.get_by_text("LoRAs").first.click()
    playground.press("Add a LoRA")
    page.get_by_label("Weight").fill("0.8")
    page.get_by_text("Enlarge and draw over").click()
    page.get_by_label("Make it larger in a second pass").check()
    expect(page.locator("#hires-count")).to_have_text("2 ×")
    made = playground.generate(prompt="a red circle on a white background", hires_scale="1.5", steps=8)
    assert [(lora["model"], lora["weight"]) for lora in made["plan"]["loras"]] == [("outline", 0.8)]
    assert (made["images"][0]["width"], made["images"][0]["height"]) == (192, 192)


def test_what_is_no_picture_is_refused_in_words(playground: Playground) -> None:
    playground.drop(b"hello", name="notes.txt", media="text/plain")
    expect(playground.page.locator("#toast")).to_have_text("That is no picture that can be read here.")
