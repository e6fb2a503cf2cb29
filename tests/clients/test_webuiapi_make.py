"""webuiapi, as scripts use it, makes pictures of every kind."""

import asyncio
import io
from urllib.parse import urlsplit

import httpx
import numpy as np
import pytest
from PIL import Image, ImageDraw
from PIL.PngImagePlugin import PngInfo
from sd_parsers import ParserManager

from tests.clients.flavours import Running
from tests.unit.api.dialects.a1111.bodies import LIBRECHAT, OPEN_WEBUI

webuiapi = pytest.importorskip("webuiapi")

RED = (220, 40, 40)
SIZE = {"width": 128, "height": 128}
FEW = {"steps": 4, "seed": 1, **SIZE}


@pytest.fixture(scope="module")
def api(service: Running) -> "webuiapi.WebUIApi":
    at = urlsplit(service.url)
    return webuiapi.WebUIApi(host=at.hostname, port=at.port)


def circle(colour: tuple[int, int, int] = RED) -> Image.Image:
    picture = Image.new("RGB", (128, 128), "white")
    ImageDraw.Draw(picture).ellipse((32, 32, 96, 96), fill=colour)
    return picture


def test_txt2img_makes_what_was_asked_for_and_says_how(api: "webuiapi.WebUIApi") -> None:
    result = api.txt2img(prompt="a red circle on a white background", seed=7, steps=12, cfg_scale=5, **SIZE)
    assert result.image.size == (128, 128)
    assert (result.info["seed"], result.info["sampler_name"], result.parameters) == (7, "Euler a", {})
    red, green, blue = (int(level) for level in np.asarray(result.image.convert("RGB"))[56:72, 56:72].mean(axis=(0, 1)))
    assert red > green + 50
    assert red > blue + 50


def test_the_file_says_what_it_was_made_by(api: "webuiapi.WebUIApi") -> None:
    result = api.txt2img(prompt="a red circle, drawn", negative_prompt="blurry", **FEW)
    assert result.image.info["parameters"] == result.info["infotexts"][0]
    file = io.BytesIO()
    result.image.save(file, "PNG", pnginfo=_text(result.image.info["parameters"]))
    found = ParserManager().parse(file)
    assert found is not None
    assert [prompt.value for prompt in found.prompts] == ["a red circle, drawn"]


def _text(words: str) -> PngInfo:
    written = PngInfo()
    written.add_text("parameters", words)
    return written


def test_batches_have_seeds_that_follow(api: "webuiapi.WebUIApi") -> None:
    result = api.txt2img(prompt="a blue square", batch_size=2, n_iter=2, **FEW)
    assert len(result.images) == 4
    assert result.info["all_seeds"] == [1, 2, 3, 4]


def test_hires_fix_enlarges(api: "webuiapi.WebUIApi") -> None:
    result = api.txt2img(
        prompt="a red circle", enable_hr=True, hr_scale=1.5, hr_upscaler=webuiapi.HiResUpscaler.Latent, **FEW
    )
    assert result.image.size == (192, 192)


def test_a_lora_in_the_prompt_changes_the_picture(api: "webuiapi.WebUIApi") -> None:
    plain = api.txt2img(prompt="a red circle", **FEW)
    drawn = api.txt2img(prompt="a red circle <lora:outline:1>", **FEW)
    assert "<lora:outline:1>" in drawn.info["prompt"]
    assert np.abs(np.asarray(plain.image, int) - np.asarray(drawn.image, int)).mean() > 10


def test_a_sampler_that_is_not_there_is_not_found(api: "webuiapi.WebUIApi") -> None:
    with pytest.raises(RuntimeError) as refused:
        api.txt2img(prompt="a red circle", sampler_name="Restart", **FEW)
    assert refused.value.args[0] == 404
    assert "Sampler not found" in refused.value.args[1]


def test_a_size_that_the_model_cannot_make_is_refused(api: "webuiapi.WebUIApi") -> None:
    with pytest.raises(RuntimeError, match="width") as refused:
        api.txt2img(prompt="a red circle")
    assert refused.value.args[0] == 422


@pytest.mark.parametrize("body", [LIBRECHAT, OPEN_WEBUI])
def test_what_other_clients_send_is_answered_without_a_warning(service: Running, body: dict[str, object]) -> None:
    answer = httpx.post(f"{service.url}/sdapi/v1/txt2img", json={**body, "steps": 4}, timeout=90)
    assert answer.status_code == 200, answer.text
    assert "darkroom-warning" not in answer.headers
    assert answer.json()["info"].startswith("{")


def test_a_key_is_given_as_the_password(keyed: Running) -> None:
    at = urlsplit(keyed.url)
    ann = webuiapi.WebUIApi(host=at.hostname, port=at.port, username="anybody", password=keyed.keys["ann"])
    assert ann.txt2img(prompt="a red circle", **FEW).image.size == (128, 128)
    nobody = webuiapi.WebUIApi(host=at.hostname, port=at.port, username="anybody", password="wrong")
    with pytest.raises(RuntimeError) as refused:
        nobody.txt2img(prompt="a red circle", **FEW)
    assert refused.value.args[0] == 401


def half(side: str) -> Image.Image:
    mask = Image.new("L", (128, 128), 0)
    mask.paste(255, (0, 0, 64, 128) if side == "left" else (64, 0, 128, 128))
    return mask


def changed(before: Image.Image, after: Image.Image) -> tuple[float, float]:
    """How far the left and the right half are from what they were, in levels of 255. Of two equal pictures, whose
    watermarks differ, it is 3 each."""
    far = np.abs(np.asarray(before.convert("RGB"), int) - np.asarray(after.convert("RGB"), int)).mean(axis=2)
    return float(far[:, :60].mean()), float(far[:, 68:].mean())


def test_img2img_draws_over_a_picture(api: "webuiapi.WebUIApi") -> None:
    result = api.img2img(images=[circle()], prompt="a blue square", denoising_strength=0.9, steps=8, seed=1, **SIZE)
    assert result.image.size == (128, 128)
    assert "Denoising strength: 0.9" in result.info["infotexts"][0]
    assert sum(changed(circle(), result.image)) > 20


@pytest.mark.parametrize("mode", [0, 1, 2])
def test_img2img_resizes_as_it_is_told_to(api: "webuiapi.WebUIApi", mode: int) -> None:
    wide = circle().resize((200, 100))
    result = api.img2img(images=[wide], prompt="a red circle", resize_mode=mode, **FEW)
    assert result.image.size == (128, 128)


@pytest.mark.parametrize(
    ("kind", "invert", "new", "whole"),
    [("L", 0, "left", True), ("RGB", 1, "right", True), ("RGBA", 0, "left", False), ("L", 1, "right", False)],
)
def test_white_is_made_anew_or_black_if_the_mask_is_inverted(
    api: "webuiapi.WebUIApi", kind: str, invert: int, new: str, whole: bool
) -> None:
    result = api.img2img(
        images=[circle()],
        mask_image=half("left").convert(kind),
        inpainting_mask_invert=invert,
        inpaint_full_res=not whole,
        inpainting_fill=1,
        prompt="a green triangle",
        denoising_strength=1.0,
        **FEW,
    )
    left, right = changed(circle(), result.image)
    made, kept = (left, right) if new == "left" else (right, left)
    assert made > 5
    assert kept < 2, "what was not masked has changed by more than the watermark"


@pytest.mark.parametrize("fill", range(4))
def test_each_kind_of_masked_content_is_taken(api: "webuiapi.WebUIApi", fill: int) -> None:
    result = api.img2img(
        images=[circle()], mask_image=half("left"), inpainting_fill=fill, prompt="a red circle", **{**FEW, "steps": 3}
    )
    assert ("fill", "original", "latent noise", "latent nothing")[fill] in result.info["infotexts"][0]


def test_a_unit_of_controlnet_steers_and_is_not_left_over(api: "webuiapi.WebUIApi") -> None:
    """Its `alwayson_scripts` is one object for all calls: without the list of scripts it sends old units again."""
    unit = webuiapi.ControlNetUnit(image=circle(), module="canny", model="tiny-canny")
    plain = api.txt2img(prompt="a shape", **FEW)
    steered = api.txt2img(prompt="a shape", controlnet_units=[unit], **FEW)
    again = api.txt2img(prompt="a shape", **FEW)
    assert "ControlNet 0" in steered.info["infotexts"][0]
    assert "ControlNet 0" not in again.info["infotexts"][0]
    assert sum(changed(plain.image, steered.image)) > 4 * sum(changed(plain.image, again.image))


def test_a_picture_made_in_a_scripts_own_thread_is_waited_for(api: "webuiapi.WebUIApi") -> None:
    made = asyncio.run(_asynchronously(api))
    assert made.image.size == (128, 128)


async def _asynchronously(api: "webuiapi.WebUIApi") -> "webuiapi.WebUIApiResult":
    return await api.txt2img(prompt="a red circle", use_async=True, **FEW)
