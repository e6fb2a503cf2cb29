"""webuiapi, as scripts use it, makes pictures of every kind."""

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
    assert np.abs(np.asarray(plain.image, int) - np.asarray(drawn.image, int)).mean() > 3


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
