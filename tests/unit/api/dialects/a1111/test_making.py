"""The routes that make pictures, from a body to what clients read."""

import asyncio
import base64
import json
from collections.abc import Awaitable
from dataclasses import replace
from typing import Any, TypeVar

import httpx
import numpy as np
import pytest

from api.auth import ANONYMOUS_TENANT
from darkroom.contract.job import Job
from darkroom.contract.start import FromMask
from darkroom.errors import LedgerUnavailable
from darkroom.infotext.reading import parse
from darkroom.inputs.mask import binary
from darkroom.inputs.normal import stored
from darkroom.inputs.shelf import fetch
from darkroom.ledger.memory import MemoryLedger
from darkroom.ledger.protocol import JsonObject
from darkroom.services import Services
from tests.fakes import fake_services
from tests.gateway import PICTURE, client_of, fail_one, finish_one
from tests.unit.api.dialects.a1111.bodies import OPEN_WEBUI, WEBUIAPI_IMG2IMG, WEBUIAPI_TXT2IMG
from tests.unit.inputs.files import saved, scene

TXT2IMG = "/sdapi/v1/txt2img"
T = TypeVar("T")


async def jobs_of(services: Services) -> tuple[Job, ...]:
    return tuple((await services.ledger.jobs(ANONYMOUS_TENANT, limit=10, cursor=None)).jobs)


async def served(services: Services, asking: Awaitable[T], end: Any = finish_one) -> T:
    """What is answered when the job that it waits for was ended by `end`."""
    answering = asyncio.ensure_future(asking)
    async with asyncio.timeout(5):
        while not answering.done() and not await jobs_of(services):
            await asyncio.sleep(0.001)
    if not answering.done():
        await end(services)
    return await answering


async def made(body: dict[str, Any], services: Services | None = None) -> httpx.Response:
    services = services or fake_services()
    async with client_of(services) as client:
        return await served(services, client.post(TXT2IMG, json=body))


async def test_pictures_come_back_in_base64_without_a_prefix() -> None:
    answer = await made(OPEN_WEBUI)
    assert answer.status_code == 200, answer.text
    assert [base64.b64decode(picture) for picture in answer.json()["images"]] == [PICTURE, PICTURE]
    assert answer.json()["parameters"] == {}
    assert "darkroom-warning" not in answer.headers


async def test_info_has_what_clients_read() -> None:
    info = json.loads((await made({**OPEN_WEBUI, "seed": 7})).json()["info"])
    assert (info["seed"], info["all_seeds"], info["width"], info["height"]) == (7, [7, 8], 128, 128)
    assert (info["prompt"], info["all_prompts"]) == ("a red circle", ["a red circle"] * 2)
    assert (info["negative_prompt"], info["steps"], info["cfg_scale"]) == ("blurry", 8, 7.0)
    assert (info["sampler_name"], info["sd_model_name"], info["clip_skip"]) == ("DPM++ 2M", "tiny", 1)
    assert (info["index_of_first_image"], len(info["job_timestamp"])) == (0, 14)
    assert [parse(text).parameters["Seed"] for text in info["infotexts"]] == ["7", "8"]


async def test_a_call_of_webuiapi_warns_nobody_and_asks_for_previews() -> None:
    services = fake_services()
    answer = await made(WEBUIAPI_TXT2IMG, services)
    assert "darkroom-warning" not in answer.headers
    (job,) = await jobs_of(services)
    assert job.generation.previews
    assert job.generation.infotext


async def test_where_there_are_no_previews_none_are_asked_for() -> None:
    services = fake_services(previews=False)
    answer = await made(WEBUIAPI_TXT2IMG, services)
    assert "darkroom-warning" not in answer.headers


async def test_what_had_no_effect_is_told_in_a_header() -> None:
    answer = await made({"prompt": "a cat", "tiling": True})
    assert answer.headers["darkroom-warning"] == "field=tiling; reason=has no effect here"


async def test_a_strict_service_refuses_instead() -> None:
    answer = await made({"prompt": "a cat", "tiling": True}, fake_services(compat_strict=True))
    assert (answer.status_code, answer.json()["detail"]) == (422, "tiling: has no effect here")


async def test_who_wants_no_pictures_sent_gets_their_parameters() -> None:
    answer = await made({"prompt": "a cat", "send_images": False})
    assert answer.json()["images"] == []
    assert json.loads(answer.json()["info"])["prompt"] == "a cat"


async def test_options_that_a_caller_set_hold_for_its_pictures() -> None:
    services = fake_services()
    await services.ledger.prefer(ANONYMOUS_TENANT, "a1111", {"samples_format": "webp", "enable_pnginfo": False})
    await made({"prompt": "a cat"}, services)
    (job,) = await jobs_of(services)
    assert (job.generation.output_format, job.generation.infotext) == ("webp", False)


async def test_nothing_of_a_request_that_we_do_not_know_comes_back_or_is_kept() -> None:
    services = fake_services()
    answer = await made({"prompt": "a cat", "auth": "user:hunter2", "url": "http://hunter2"}, services)
    assert "hunter2" not in answer.text
    assert "hunter2" not in repr((await jobs_of(services), answer.headers))


@pytest.mark.parametrize(
    ("body", "status", "detail"),
    [
        ({"sampler_name": "Restart"}, 404, "Sampler not found"),
        ({"width": 1024, "height": 1024}, 422, "width: must be from 128 to 512 for tiny"),
        ({"steps": 0}, 422, "steps: Input should be greater than or equal to 1"),
        ({"override_settings": {"sd_model_checkpoint": "sd15"}}, 422, "override_settings.sd_model_checkpoint: no"),
        ({"script_name": "Prompt matrix"}, 422, "script_name: Script not found"),
    ],
)
async def test_refusals_name_the_field_and_make_no_job(body: dict[str, Any], status: int, detail: str) -> None:
    services = fake_services()
    answer = await made({"prompt": "a cat", **body}, services)
    assert answer.status_code == status, answer.text
    assert answer.json()["detail"].startswith(detail)
    assert await jobs_of(services) == ()


async def test_a_failed_generation_is_told_and_not_made_again() -> None:
    services = fake_services()
    async with client_of(services) as client:
        answer = await served(services, client.post(TXT2IMG, json={"prompt": "a cat"}), fail_one)
    assert (answer.status_code, answer.json()["error"]) == (500, "out_of_memory")
    assert len(await jobs_of(services)) == 1


async def test_who_interrupts_is_told_so() -> None:
    async def interrupt(services: Services) -> None:
        (job,) = await jobs_of(services)
        await services.ledger.cancel(ANONYMOUS_TENANT, job.id)

    services = fake_services()
    async with client_of(services) as client:
        answer = await served(services, client.post(TXT2IMG, json={"prompt": "a cat"}), interrupt)
    assert answer.json()["error"] == "canceled"


class Away(MemoryLedger):
    """Redis does not answer."""

    async def preferences(self, tenant: str, kind: str) -> JsonObject:
        raise LedgerUnavailable("the job ledger is away; try again shortly")


async def test_while_the_ledger_is_away_the_caller_is_asked_to_come_again() -> None:
    async with client_of(replace(fake_services(), ledger=Away())) as client:
        answer = await client.post(TXT2IMG, json={"prompt": "a cat"})
    assert (answer.status_code, answer.json()["error"]) == (503, "ledger_unavailable")
    assert int(answer.headers["retry-after"]) > 0


async def test_with_an_idempotency_key_one_job_is_made_of_two_requests() -> None:
    services = fake_services()
    headers = {"Idempotency-Key": "k1"}
    async with client_of(services) as client:
        first = await served(services, client.post(TXT2IMG, json={"prompt": "a cat"}, headers=headers))
        again = await client.post(TXT2IMG, json={"prompt": "a cat"}, headers=headers)
    assert first.json() == again.json()
    assert len(await jobs_of(services)) == 1


async def test_a_key_is_the_password_of_basic() -> None:
    async with client_of(fake_services(allow_anonymous=False, api_keys={"ab" * 32: "alice"})) as client:
        for headers in ({}, {"Authorization": "Basic "}, {"Authorization": ""}):
            answer = await client.post(TXT2IMG, json={"prompt": "a cat"}, headers=headers)
            assert (answer.status_code, answer.json()["error"]) == (401, "unauthenticated")


async def test_a_disabled_dialect_is_not_there() -> None:
    async with client_of(fake_services(compat=("openai",))) as client:
        assert (await client.post(TXT2IMG, json={"prompt": "a cat"})).status_code == 404


async def test_what_is_not_json_is_refused_with_a_hint() -> None:
    async with client_of(fake_services()) as client:
        answer = await client.post(TXT2IMG, content=b"prompt=a+cat")
    assert (answer.status_code, answer.json()["error"]) == (415, "unsupported_media_type")


async def test_a_part_of_a_picture_is_made_anew_at_the_size_that_was_asked_for() -> None:
    services = fake_services()
    mask_HW = np.zeros((96, 192), np.uint8)
    mask_HW[:, :96] = 255
    body = {
        **WEBUIAPI_IMG2IMG,
        "init_images": [base64.b64encode(saved(scene(192, 96))).decode()],
        "mask": f"data:image/png;base64,{base64.b64encode(saved(mask_HW)).decode()}",
        "inpaint_full_res": False,
        "inpainting_mask_invert": 1,
    }
    async with client_of(services) as client:
        answer = await served(services, client.post("/sdapi/v1/img2img", json=body))
    assert answer.status_code == 200, answer.text
    assert "darkroom-warning" not in answer.headers
    (job,) = await jobs_of(services)
    start = job.generation.start
    assert isinstance(start, FromMask)
    assert (start.image.width, start.image.height, start.masked_content) == (128, 128, "fill")
    mask = stored(await fetch(services.store, ANONYMOUS_TENANT, start.mask.sha256)).pixels
    assert (int(mask[64, 20, 0]), int(mask[64, 110, 0])) == (0, 255)


@pytest.mark.parametrize("invert", [0, 1])
@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 0, 0), (255, 255, 255)])
async def test_what_is_painted_on_a_clear_ground_is_masked_in_whatever_colour(
    colour: tuple[int, int, int], invert: int
) -> None:
    services = fake_services()
    strokes_HW4 = np.zeros((128, 128, 4), np.uint8)
    strokes_HW4[:, :64] = (*colour, 255)
    body = {
        **WEBUIAPI_IMG2IMG,
        "init_images": [base64.b64encode(saved(scene(128, 128))).decode()],
        "mask": base64.b64encode(saved(strokes_HW4)).decode(),
        "inpaint_full_res": True,
        "inpainting_mask_invert": invert,
    }
    async with client_of(services) as client:
        answer = await served(services, client.post("/sdapi/v1/img2img", json=body))
    assert answer.status_code == 200, answer.text
    (job,) = await jobs_of(services)
    start = job.generation.start
    assert isinstance(start, FromMask)
    masked_HW = binary(stored(await fetch(services.store, ANONYMOUS_TENANT, start.mask.sha256)).pixels)
    assert (bool(masked_HW[64, 20]), bool(masked_HW[64, 110])) == (not invert, bool(invert))


async def test_without_a_picture_img2img_says_what_the_original_says() -> None:
    async with client_of(fake_services()) as client:
        answer = await client.post("/sdapi/v1/img2img", json={"prompt": "a cat"})
    assert (answer.status_code, answer.json()["detail"]) == (404, "Init image not found")


async def test_a_picture_that_is_none_is_refused_by_the_dialects_name() -> None:
    async with client_of(fake_services()) as client:
        answer = await client.post("/sdapi/v1/img2img", json={"prompt": "a cat", "init_images": ["AAAA"]})
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith("init_images: ")
