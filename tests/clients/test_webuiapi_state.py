"""webuiapi, on everything but making pictures: lists, options, progress, interruption, maps, and what is in a file."""

import base64
import io
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from PIL import Image, ImageDraw
from webuiapi import ControlNetInterface, WebUIApi

from tests.clients.flavours import Running

GENERATIONS = "/api/v1/generations"
LONG = {"prompt": "a red circle", "steps": 150, "n": 16, "seed": 1}


@contextmanager
def api_of(service: Running, tenant: str = "ann") -> Iterator[WebUIApi]:
    """As a user of the package makes one: with a key, that is the password."""
    place = urlsplit(service.url)
    told = {"username": "anybody", "password": service.keys[tenant]} if service.keys else {}
    api = WebUIApi(host=place.hostname, port=place.port, **told)
    try:
        yield api
    finally:
        api.session.close()


@pytest.fixture
def api(service: Running) -> Iterator[WebUIApi]:
    with api_of(service) as api:
        yield api


@pytest.fixture
def ann(keyed: Running) -> Iterator[WebUIApi]:
    with api_of(keyed, "ann") as api:
        yield api
        api.interrupt()


@pytest.fixture
def ben(keyed: Running) -> Iterator[WebUIApi]:
    with api_of(keyed, "ben") as api:
        yield api
        api.interrupt()


def asked(service: Running, tenant: str, **fields: Any) -> str:
    """The URL of a generation that was asked for through the native API."""
    headers = service.headers(tenant)
    made = httpx.post(f"{service.url}{GENERATIONS}", json={**LONG, **fields}, headers=headers).json()
    return str(made["links"]["self"])


def state_of(service: Running, tenant: str, url: str) -> str:
    return str(httpx.get(url, headers=service.headers(tenant)).json()["state"])


def at_work(api: WebUIApi, *, seen: bool = False, seconds: float = 60) -> dict[str, Any]:
    """The first progress that shows a step that was made; `seen`: and what it looks like."""
    until = time.monotonic() + seconds
    while not (told := api.get_progress())["state"]["sampling_step"] or (seen and not told["current_image"]):
        assert time.monotonic() < until, told
        time.sleep(0.1)
    return dict(told)


def test_it_finds_controlnet_when_it_begins(api: WebUIApi, ann: WebUIApi) -> None:
    assert (api.has_controlnet, ann.has_controlnet) == (True, True)
    assert not api.has_adetailer


def test_it_lists_what_there_is(api: WebUIApi) -> None:
    assert api.util_get_model_names() == [api.util_get_current_model()]
    assert api.get_sd_models()[0]["model_name"] == "tiny"
    assert {"Euler a", "DPM++ 2M"} <= set(api.util_get_sampler_names())
    assert {"automatic", "karras"} <= set(api.util_get_scheduler_names())
    assert [lora["name"] for lora in api.get_loras()] == ["outline"]
    assert [upscaler["name"] for upscaler in api.get_upscalers()] == ["None", "Lanczos"]
    assert api.get_latent_upscale_modes() == [{"name": "Latent"}]
    assert api.get_embeddings() == {"loaded": {}, "skipped": {}}
    assert api.get_cmd_flags()["api"]
    assert api.get_memory().keys() == {"ram", "cuda"}
    lists = (api.get_sd_vae, api.get_hypernetworks, api.get_face_restorers, api.get_realesrgan_models)
    assert [each() for each in (*lists, api.get_prompt_styles)] == [[]] * 5
    assert api.refresh_checkpoints() == {}


def test_options_are_kept_for_each_key_by_itself(ann: WebUIApi, ben: WebUIApi) -> None:
    whole = ann.get_options()
    assert ann.set_options({**whole, "CLIP_stop_at_last_layers": 2}) is None
    try:
        assert ann.get_options() == {**whole, "CLIP_stop_at_last_layers": 2}
        assert ben.get_options() == whole
    finally:
        ann.set_options(whole)
    assert ann.get_options() == whole


def test_the_closest_checkpoint_is_set(ann: WebUIApi) -> None:
    ann.util_set_model("Tiny")
    assert ann.util_get_current_model() == "tiny.safetensors [7a336531b1]"


def test_a_wrong_checkpoint_is_told(ann: WebUIApi) -> None:
    assert ann.set_options({"sd_model_checkpoint": "v1-5-pruned"})["error"] == "unknown_model"


def test_progress_shows_the_callers_own_job_and_interrupt_ends_it(keyed: Running, ann: WebUIApi, ben: WebUIApi) -> None:
    job = asked(keyed, "ann")
    told = at_work(ann)
    assert 0 < told["progress"] < 1
    assert told["state"]["job_count"] == 1
    assert 0 < told["state"]["sampling_step"] < told["state"]["sampling_steps"] == 150
    assert told["eta_relative"] > 0
    assert ben.get_progress()["state"]["job_count"] == 0
    assert ben.interrupt() == {}
    assert state_of(keyed, "ann", job) == "running"
    assert ann.interrupt() == {}
    ann.util_wait_for_ready(check_interval=0.1)
    assert state_of(keyed, "ann", job) == "canceled"
    assert ann.get_progress()["state"]["interrupted"]


def test_who_waits_is_shown_the_place_and_not_anothers_progress(keyed: Running, ann: WebUIApi, ben: WebUIApi) -> None:
    jobs = [asked(keyed, "ann") for _ in range(12)]
    at_work(ann)
    assert ben.get_progress()["progress"] == 0
    assert ann.skip() == {}
    states = [state_of(keyed, "ann", job) for job in jobs]
    assert 0 < states.count("canceled") < len(jobs)
    for job in jobs:
        httpx.delete(job, headers=keyed.headers("ann"))
    ann.util_wait_for_ready(check_interval=0.1)


def test_a_picture_is_seen_while_it_is_made_and_interrupted(keyed: Running, ann: WebUIApi) -> None:
    with api_of(keyed, "ann") as other, ThreadPoolExecutor(1) as pool:
        asked = pool.submit(ann.txt2img, prompt="a red circle", steps=150, batch_size=8, width=128, height=128)
        sketch = Image.open(io.BytesIO(base64.b64decode(at_work(other, seen=True)["current_image"])))
        assert (sketch.format, sketch.width == sketch.height) == ("JPEG", True)
        assert other.interrupt() == {}
        with pytest.raises(RuntimeError, match="canceled"):
            asked.result(timeout=60)
    ann.util_wait_for_ready(check_interval=0.1)


def drawn() -> Image.Image:
    picture = Image.new("RGB", (128, 128), "white")
    ImageDraw.Draw(picture).ellipse((32, 32, 96, 96), fill="red")
    return picture


def test_a_map_is_detected(api: WebUIApi) -> None:
    found = api.controlnet_detect([drawn(), drawn().rotate(90)], module="canny")
    assert found.info == "Success"
    for edges in found.images:
        lightness = edges.convert("L")
        assert edges.size == (128, 128)
        assert lightness.getpixel((64, 64)) == 0
        assert lightness.getextrema() == (0, 255)


def test_a_module_without_its_weights_is_told(api: WebUIApi) -> None:
    with pytest.raises(RuntimeError, match="maps of type depth need weights"):
        api.controlnet_detect([drawn()], module="depth_midas")


def test_the_controlnet_extension_tells_what_there_is(api: WebUIApi) -> None:
    assert api.controlnet_version() >= 2
    (title,) = api.controlnet_model_list()
    assert title.startswith("tiny-canny [")
    assert ControlNetInterface(api).model_list() == [title]
    assert {"none", "canny", "mlsd", "scribble_xdog"} <= set(api.controlnet_module_list())


def made(service: Running, tenant: str, **fields: Any) -> Image.Image:
    wait = {"Prefer": "wait=60", **service.headers(tenant)}
    asked = {"prompt": "a blue square", "steps": 4, "seed": 7, **fields}
    job = httpx.post(f"{service.url}{GENERATIONS}", json=asked, headers=wait, timeout=90).json()
    assert job["state"] == "succeeded", job
    data = httpx.get(job["images"][0]["url"], headers=service.headers(tenant), follow_redirects=True).content
    return Image.open(io.BytesIO(data))


def test_what_is_written_in_a_file_is_read(keyed: Running, ben: WebUIApi) -> None:
    read = ben.png_info(made(keyed, "ann", infotext=True))
    assert read.info.startswith("a blue square\nSteps: 4, ")
    assert (read.parameters["Prompt"], read.parameters["Seed"]) == ("a blue square", "7")
    assert (read.parameters["Size-1"], read.parameters["Size-2"]) == ("128", "128")


def test_a_file_that_lost_its_words_leads_its_owner_to_them_by_its_watermark(
    keyed: Running, ann: WebUIApi, ben: WebUIApi
) -> None:
    lossy = io.BytesIO()
    made(keyed, "ann").convert("RGB").save(lossy, "JPEG", quality=90)
    stripped = Image.open(lossy)
    assert ann.png_info(stripped).parameters["Seed"] == "7"
    assert ben.png_info(stripped).info == ""


def test_what_is_not_done_here_is_told(api: WebUIApi) -> None:
    with pytest.raises(RuntimeError, match="pictures are not put into words here"):
        api.interrogate(drawn())
    with pytest.raises(RuntimeError, match="pictures are not enlarged by themselves here"):
        api.extra_single_image(drawn())
