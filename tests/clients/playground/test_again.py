"""Doing it again, and telling where a picture is from."""

import json
import os
import re
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from playwright.sync_api import expect

from tests.clients.flavours import Running
from tests.clients.playground.conftest import Open
from tests.clients.playground.driving import MARK, Playground, pixels, png_of
from training.shapes import Item, draw

# What a shell, Python and JavaScript each could mistake for their own.
AWKWARD = 'a "red" circle\'s `whoami` $HOME ${HOME} \\n %s é 円 </script>'
CIRCLE = png_of(draw([Item("circle", (215, 40, 45), 64, 64, 30)], (255, 255, 255)))


def test_every_setting_comes_back_from_history(playground: Playground) -> None:
    page = playground.page
    page.get_by_text("LoRAs").first.click()
    playground.press("Add a LoRA")
    page.get_by_label("Weight").fill("0.75")
    page.get_by_text("ControlNets").click()
    playground.press("Add a ControlNet")
    playground.choose("#control-file-0", CIRCLE)
    expect(page.get_by_alt_text("Picture to follow")).to_be_visible()
    playground.fill(**{"control-scale-0": "0.6", "control-end-0": "0.8"})
    page.get_by_text("Enlarge and draw over").click()
    page.get_by_label("Make it larger in a second pass").check()
    page.get_by_text("More", exact=True).click()
    page.get_by_label("The same to the last bit every time (slower)").check()
    playground.fill(prompt=AWKWARD, negative_prompt="blue", width=160, height=128, steps=9, guidance_scale="3.5")
    playground.fill(scheduler="euler_a", seed=11, n=2, clip_skip=1, output_format="webp", output_compression=90)
    playground.fill(hires_scale="1.5", hires_strength="0.6", hires_steps=5, hires_upscaler="lanczos")
    playground.generate(priority="bulk")
    before = playground.read_form()
    playground.press("Back to the model's defaults")
    expect(page.locator("#seed")).to_have_value("")
    assert playground.read_form() != before
    playground.page.locator("#history li").first.hover()
    playground.page.locator("#history .tile-restore").first.click()
    expect(page.locator("#toast")).to_have_text("Settings restored.")
    expect(page.get_by_alt_text("Picture to follow")).to_be_visible()
    assert playground.read_form() == before
    assert playground.generate()["plan"]["later_stages"][0]["width"] == 240


def test_a_repainted_picture_comes_back_with_its_mask(playground: Playground) -> None:
    page = playground.page
    playground.choose("#input-file", CIRCLE)
    page.get_by_role("radio", name="Repaint a part").check()
    playground.press("Paint the mask")
    playground.paint((0.4, 0.5), (0.6, 0.5))
    playground.press("Use this mask")
    expect(page.locator("#input-mask")).to_be_visible()
    page.get_by_label("Look at the masked part alone").check()
    playground.fill(prompt="a blue circle", seed=3, steps=8, strength="0.9", masked_content="fill")
    made = playground.generate(mask_blur=2, mask_padding=12)
    before = playground.read_form()
    playground.press("Remove")
    page.get_by_text("More", exact=True).click()
    playground.press("Back to the model's defaults")
    playground.press("Restore settings")
    expect(page.locator("#input-mask")).to_be_visible()
    after = playground.read_form()
    # The size it is looked at in is said, which was left to the service before.
    assert {**after, "own_size": "true"} == before
    again = playground.generate()
    assert again["plan"]["start"] == made["plan"]["start"]
    first, second = (pixels(playground.picture(each)).astype(int) for each in (made, again))
    assert np.abs(first - second).max() <= 2 * MARK, "the same but for their marks"


def test_a_dropped_picture_of_ones_own_brings_its_settings_back(playground: Playground) -> None:
    page = playground.page
    made = playground.generate(prompt="a green heart on a black background", seed=23, steps=17)
    picture = playground.picture(made)
    playground.fill(prompt="something else", seed="", steps=30)
    playground.drop(picture)
    dialog = page.get_by_role("dialog", name="Where is this picture from?")
    dialog.get_by_role("button", name="Restore its settings").click()
    expect(dialog).to_be_hidden()
    expect(page.locator("#prompt")).to_have_value("a green heart on a black background")
    expect(page.locator("#seed")).to_have_value("23")
    expect(page.locator("#steps")).to_have_value("17")


def test_a_dropped_picture_is_verified_in_plain_words(playground: Playground) -> None:
    made = playground.generate(prompt="a green heart on a black background", seed=23, steps=9)
    playground.drop(playground.picture(made))
    verdict = playground.page.locator("#verdict")
    expect(verdict).to_contain_text("As it was signed")
    for words in (
        "tiny, seed 23, 128 × 128",
        "signed credential (C2PA) and watermark in the pixels",
        made["images"][0]["watermark_id"],
        made["images"][0]["manifest_id"],
        "a development certificate of this installation",
        "It does not prove that what it shows is true",
    ):
        expect(verdict).to_contain_text(words)


def test_a_changed_picture_and_a_strangers_are_told_apart(playground: Playground) -> None:
    made = playground.generate(prompt="a green heart on a black background", seed=23, steps=9)
    verdict = playground.page.locator("#verdict")
    signed = bytearray(playground.picture(made))
    signed[signed.rindex(b"IDAT") + 40] ^= 1
    playground.drop(bytes(signed))
    expect(verdict.locator(".state")).to_have_text(re.compile("Changed since|does not hold"))
    playground.press("Close")
    playground.drop(CIRCLE)
    expect(verdict.locator(".state")).to_have_text("Nothing was found")
    expect(verdict).to_contain_text("It does not prove that no AI made it")
    expect(playground.page.get_by_role("button", name="Restore its settings")).to_have_count(0)


def test_settings_are_read_from_the_text_of_a1111(playground: Playground) -> None:
    told = PngInfo()
    told.add_text(
        "parameters",
        "a blue star, on yellow\nand a second line\nNegative prompt: red\nSteps: 12, Sampler: Euler a, "
        "Schedule type: Automatic, CFG scale: 6.5, Seed: 99, Size: 160x128, Model: other, Version: v1",
    )
    file = BytesIO()
    Image.open(BytesIO(CIRCLE)).save(file, "PNG", pnginfo=told)
    playground.drop(file.getvalue())
    playground.press("Restore its settings")
    form = playground.page.locator("#prompt")
    expect(form).to_have_value("a blue star, on yellow\nand a second line")
    found = playground.read_form()
    names = ("negative_prompt", "steps", "guidance_scale", "seed", "width", "height", "scheduler")
    assert [found[name] for name in names] == ["red", "12", "6.5", "99", "160", "128", "euler_a"]


def test_markup_of_strangers_is_shown_as_the_words_it_is(playground: Playground) -> None:
    page = playground.page
    markup = "<img id=evil src=x onerror=alert(1)><script>alert(2)</script>"
    playground.generate(prompt=markup, steps=2)
    expect(page.locator("#caption .words")).to_have_text(markup)
    playground.press("Where is it from?")
    expect(page.locator("#verdict")).to_contain_text(markup)
    playground.press("Close")
    told, file = PngInfo(), BytesIO()
    # A name only follows a comma: or else each letter would be looked at as often as there are letters.
    told.add_text("parameters", f"{markup}\nSteps: 7, Sampler: {markup}, {'A' * 200_000}")
    Image.open(BytesIO(CIRCLE)).save(file, "PNG", pnginfo=told)
    playground.drop(file.getvalue())
    playground.press("Restore its settings")
    expect(page.locator("#prompt")).to_have_value(markup)
    expect(page.locator("#steps")).to_have_value("7")
    expect(page.locator("#evil")).to_have_count(0)


def snippet(playground: Playground, language: str) -> str:
    playground.press("Copy as code")
    playground.page.get_by_role("tab", name=language).click()
    return playground.page.locator("#snippet").inner_text()


@pytest.mark.parametrize("language", ["curl", "Python", "JavaScript"])
def test_the_code_asks_for_exactly_the_same(open_page: Open, keyed: Running, language: str, tmp_path: Path) -> None:
    playground = open_page(keyed, said=("401",), ready=False)
    playground.page.get_by_label("API key", exact=True).fill(keyed.keys["ann"])
    playground.press("Use this key")
    playground.page.get_by_text("LoRAs").first.click()
    playground.press("Add a LoRA")
    made = playground.generate(prompt=AWKWARD, negative_prompt="it's\nblue", seed=5, steps=6, n=2)
    code = snippet(playground, language)
    assert keyed.keys["ann"] not in code
    run(language, code, tmp_path, keyed)
    again = playground.newest()
    assert again["id"] != made["id"]
    asked = {name: value for name, value in made["plan"].items() if name not in UNLIKE}
    assert asked == {name: value for name, value in again["plan"].items() if name not in UNLIKE}
    if language != "curl":
        saved = sorted(tmp_path.glob("picture*.png"))
        assert [(pixels(file.read_bytes()).shape) for file in saved] == [(128, 128, 3)] * 2


# What a wait for the pictures, and not what they are, decides.
UNLIKE = {"previews", "predicted_seconds", "deadline_at", "warnings"}


def run(language: str, code: str, folder: Path, service: Running) -> None:
    program = {"curl": ["bash", "-eu"], "Python": [sys.executable, "-"], "JavaScript": ["node", "--input-type=module"]}
    environment = {**os.environ, **service.environment(), "HOME": str(folder)}
    ended = subprocess.run(
        program[language], input=code, cwd=folder, env=environment, capture_output=True, text=True, timeout=120
    )
    assert ended.returncode == 0, ended.stderr
    if language == "curl":
        assert json.loads(ended.stdout)["state"] == "succeeded", ended.stdout


def test_code_is_copied_to_the_clipboard(open_page: Open, service: Running) -> None:
    playground = open_page(service, permissions=["clipboard-read", "clipboard-write"])
    playground.fill(prompt="a red circle")
    code = snippet(playground, "curl")
    playground.press("Copy")
    expect(playground.page.locator("#snippet-said")).to_have_text("Copied.")
    assert playground.page.evaluate("navigator.clipboard.readText()").strip() == code.strip()


def test_the_form_is_as_it_was_left(playground: Playground) -> None:
    playground.choose("#input-file", CIRCLE)
    playground.fill(prompt="a red circle", steps=33, strength="0.4", seed=1)
    playground.page.locator("#seed").blur()
    before = playground.read_form()
    playground.open()
    expect(playground.page.locator("#input-picture")).to_be_visible()
    assert playground.read_form() == before


def test_seeds_are_used_again_or_drawn_anew(playground: Playground) -> None:
    made = playground.generate(prompt="a red circle", steps=4)
    seed = playground.page.locator("#seed")
    expect(seed).to_have_value("")
    playground.press("Reuse last")
    expect(seed).to_have_value(str(made["images"][0]["seed"]))
    playground.press("Random")
    expect(seed).to_have_value("")


def test_what_is_not_here_any_more_is_left_out_and_told(playground: Playground) -> None:
    page = playground.page
    page.get_by_text("LoRAs").first.click()
    playground.press("Add a LoRA")
    playground.generate(prompt="a red circle", steps=4)
    page.route("**/api/v1/loras", lambda route: route.fulfill(json={"loras": [], "unavailable": []}))
    playground.open()
    playground.press("Restore settings")
    expect(page.locator("#toast")).to_have_text("Settings restored, but not here any more: outline.")
    assert playground.generate(steps=4)["plan"]["loras"] == []
