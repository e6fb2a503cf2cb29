"""What clients of OpenAI are told when there are no pictures, and whether to ask again."""

import asyncio
import base64
from typing import Any

import httpx
import numpy as np
import pytest

from api.dialects.openai.masks import inverted
from darkroom.errors import InvalidField, LedgerUnavailable
from darkroom.services import Services
from tests.fakes import fake_services
from tests.gateway import API_KEYS, claim_one, client_of, fail_one
from tests.unit.api.dialects.openai import seen_bodies
from tests.unit.api.dialects.openai.asking import EDITS, GENERATIONS, VARIATIONS, clear_in_the_middle, error_in, the_job
from tests.unit.inputs.files import png_header, saved, scene


@pytest.mark.parametrize(
    ("asked", "status", "code", "param", "says"),
    [
        ({}, 400, "invalid_value", "prompt", "is required"),
        ({"prompt": "a", "size": "1024x1024"}, 400, "invalid_value", "size", "width must be from 128 to 512"),
        ({"prompt": "a", "size": "128x1024"}, 400, "invalid_value", "size", "height must be from 128 to 512"),
        (
            {"prompt": "a", "size": "512x512"},
            400,
            "invalid_value",
            "size",
            "size: 512x512 has more than the 65536 pixels",
        ),
        ({"prompt": "a", "size": "100x100"}, 400, "invalid_value", "size", "multiples of 8"),
        ({"prompt": "a", "model": "sdxl"}, 404, "model_not_found", "model", "known: tiny"),
        ({"prompt": "a", "scheduler": "nope"}, 400, "unknown_scheduler", "scheduler", "no scheduler"),
        ({"prompt": "a", "num_inference_steps": 0}, 400, "invalid_value", "num_inference_steps", "greater than"),
        ({"prompt": "a", "steps": 60, "scheduler": "lcm"}, 400, "invalid_value", "steps", "at most 50 steps"),
        ({"prompt": "a", "darkroom": {"foo": 1}}, 400, "invalid_value", "darkroom.foo", "darkroom.foo"),
        ({"prompt": "a", "stream": True, "size": "1024x1024"}, 400, "invalid_value", "size", "512"),
        ({"prompt": "a", "webhook": "http://127.0.0.1/"}, 400, "url_refused", "webhook", ""),
        ({"prompt": "a", "strength": 0.5}, 400, "invalid_value", "strength", ""),
    ],
)
async def test_what_is_wrong_is_told_by_its_name_and_not_tried_again(
    client: httpx.AsyncClient, asked: dict[str, Any], status: int, code: str, param: str, says: str
) -> None:
    answer = await client.post(GENERATIONS, json=asked)
    error = error_in(answer)
    assert (answer.status_code, error["code"], error["param"]) == (status, code, param)
    assert error["type"] == "invalid_request_error"
    assert says in error["message"]
    assert answer.headers["x-should-retry"] == "false"


@pytest.mark.parametrize("mask", [saved(scene(128, 128)), saved(scene(64, 64)), b"", b"\x89PNG\r\n\x1a\nno"])
async def test_a_mask_that_says_nothing_is_refused(client: httpx.AsyncClient, mask: bytes) -> None:
    body = seen_bodies.ai_sdk(saved(scene(128, 128)), mask)
    answer = await client.post(EDITS, content=body, headers=seen_bodies.FORM)
    assert (answer.status_code, error_in(answer)["param"]) == (400, "mask")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"--BOUNDARY\r\nContent-Disposition: form-data\r\n\r\nx\r\n--BOUNDARY--\r\n", "malformed_body"),
        (b"", "invalid_value"),
        (seen_bodies.openai_python_list(*[b"x"] * 40), "malformed_body"),
        (b"--BOUNDARY\r\nnot a form", "malformed_body"),
    ],
)
async def test_a_form_that_is_none_is_refused(client: httpx.AsyncClient, body: bytes, code: str) -> None:
    answer = await client.post(EDITS, content=body, headers=seen_bodies.FORM)
    assert answer.status_code == 400
    assert error_in(answer)["code"] == code


async def test_a_form_of_fields_that_are_short_and_many_is_refused_as_the_json_would_be(
    client: httpx.AsyncClient,
) -> None:
    """Nineteen megabytes of braces held everybody up for half a minute."""
    part = b'--BOUNDARY\r\nContent-Disposition: form-data; name="f%d"\r\n\r\n[' + b"{}," * 40_000 + b"{}]\r\n"
    body = b"".join(part.replace(b"%d", b"%d" % number) for number in range(10)) + b"--BOUNDARY--\r\n"
    answer = await client.post(EDITS, content=body, headers=seen_bodies.FORM)
    assert (answer.status_code, error_in(answer)["code"]) == (400, "malformed_body")


async def test_a_form_without_parts_hears_how_pictures_are_sent(client: httpx.AsyncClient) -> None:
    answer = await client.post(EDITS, data={"prompt": "a"})
    assert (answer.status_code, error_in(answer)["code"]) == (415, "unsupported_media_type")
    assert "curl -F" in error_in(answer)["message"]


async def test_a_picture_beyond_what_json_could_hold_is_refused(client: httpx.AsyncClient) -> None:
    body = seen_bodies.openai_python_list(bytes(12 * 1024 * 1024 + 1))
    answer = await client.post(EDITS, content=body, headers=seen_bodies.FORM)
    assert (answer.status_code, error_in(answer)["param"]) == (400, "image[]")


async def test_who_is_not_known_hears_it_in_the_sdks_words() -> None:
    async with client_of(fake_services(allow_anonymous=False, api_keys=API_KEYS)) as client:
        for path in ("/v1/models", "/v1/models/tiny", GENERATIONS, EDITS, VARIATIONS):
            method = "GET" if "models" in path else "POST"
            answer = await client.request(method, path, headers={"Authorization": "Bearer dk_wrong"}, content=b"\xff")
            assert (answer.status_code, error_in(answer)["code"]) == (401, "invalid_api_key")
            assert answer.headers["x-should-retry"] == "false"


async def test_what_may_be_tried_again_says_when(services: Services) -> None:
    async with client_of(fake_services(max_queued=1)) as client:
        await client.post("/api/v1/generations", json={"prompt": "a"})
        answer = await client.post(GENERATIONS, json={"prompt": "a"})
    assert (answer.status_code, error_in(answer)["code"]) == (503, "queue_full")
    assert int(answer.headers["Retry-After"]) >= 1
    assert "x-should-retry" not in answer.headers


async def test_a_ledger_that_is_away_may_be_tried_again(
    services: Services, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: Any) -> None:
        raise LedgerUnavailable("Redis does not answer")

    monkeypatch.setattr(services.ledger, "submit", away)
    answer = await client.post(GENERATIONS, json={"prompt": "a"})
    assert (answer.status_code, error_in(answer)["type"]) == (503, "server_error")
    assert "x-should-retry" not in answer.headers


async def test_an_accident_is_told_with_the_name_of_its_log_lines_and_not_tried_again(
    services: Services, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def stumble(*_: Any) -> None:
        raise RuntimeError("a canary")

    monkeypatch.setattr(services.ledger, "submit", stumble)
    for stream in (False, True):
        answer = await client.post(GENERATIONS, json={"prompt": "a", "stream": stream})
        error = error_in(answer)
        assert (answer.status_code, error["code"], answer.headers["x-should-retry"]) == (500, "internal_error", "false")
        assert error["message"].endswith(f": {answer.headers['x-request-id']}")
        assert "canary" not in answer.text


@pytest.mark.parametrize("key", [{}, {"Idempotency-Key": "k"}])
@pytest.mark.parametrize(
    "code",
    ["out_of_memory", "safety_unavailable", "broken_weights", "store_error", "internal_error", "of a newer worker"],
)
async def test_how_a_job_ended_is_not_tried_again_even_where_it_may_pass(
    services: Services, client: httpx.AsyncClient, code: str, key: dict[str, str]
) -> None:
    waiting = asyncio.ensure_future(client.post(GENERATIONS, json={"prompt": "a"}, headers=key))
    await the_job(services)
    await fail_one(services, code)
    answer = await waiting
    assert (answer.status_code, answer.headers["x-should-retry"]) == (422, "false")
    assert error_in(answer)["type"] == "server_error"
    assert error_in(answer)["message"] == "the device ran out of memory"
    assert "Retry-After" not in answer.headers
    if code != "of a newer worker":
        assert error_in(answer)["code"] == code


async def test_a_map_that_no_worker_makes_any_more_is_told_by_its_code(
    services: Services, client: httpx.AsyncClient
) -> None:
    waiting = asyncio.ensure_future(client.post(GENERATIONS, json={"prompt": "a"}))
    await the_job(services)
    await fail_one(services, "preprocessor_unavailable")
    answer = await waiting
    assert (error_in(answer)["code"], answer.headers["x-should-retry"]) == ("preprocessor_unavailable", "false")
    assert (400 <= answer.status_code < 500, error_in(answer)["param"]) == (True, None)


async def test_a_canceled_job_is_not_tried_again(services: Services, client: httpx.AsyncClient) -> None:
    waiting = asyncio.ensure_future(client.post(GENERATIONS, json={"prompt": "a"}))
    job = await the_job(services)
    await services.ledger.cancel("local", job.id)
    answer = await waiting
    assert (answer.status_code, answer.headers["x-should-retry"]) == (422, "false")


async def test_a_wait_that_was_in_vain_is_tried_again_only_with_a_key() -> None:
    async with client_of(fake_services(compat_wait=0.02)) as client:
        gone = await client.post(GENERATIONS, json={"prompt": "a"})
        kept = await client.post(GENERATIONS, json={"prompt": "a"}, headers={"Idempotency-Key": "k"})
    assert (gone.status_code, error_in(gone)["code"], gone.headers["x-should-retry"]) == (
        422,
        "wait_timed_out",
        "false",
    )
    assert (kept.status_code, error_in(kept)["code"]) == (504, "still_running")
    assert "x-should-retry" not in kept.headers


async def test_strictly_what_has_no_effect_is_refused() -> None:
    async with client_of(fake_services(compat_strict=True)) as client:
        answer = await client.post(GENERATIONS, json={"prompt": "a", "style": "natural"})
    assert (answer.status_code, error_in(answer)["param"]) == (400, "style")


async def test_errors_of_the_router_have_the_sdks_shape_and_others_ours(client: httpx.AsyncClient) -> None:
    assert error_in(await client.get("/v1/nowhere"))["code"] == "not_found"
    assert error_in(await client.get(GENERATIONS))["code"] == "method_not_allowed"
    assert error_in(await client.post(GENERATIONS, content=b"{}"))["code"] == "unsupported_media_type"
    assert (await client.get("/v1nowhere")).json()["code"] == "not_found"
    async with client_of(fake_services(compat=())) as none:
        assert (await none.get("/v1/models")).json()["code"] == "not_found"


async def test_nothing_can_be_asked_for_that_our_own_api_refuses(services: Services, client: httpx.AsyncClient) -> None:
    picture = base64.b64encode(saved(scene(128, 128))).decode()
    for body in (
        {"prompt": "a\0b"},
        {"prompt": "a", "negative_prompt": "x" * 10_001},
        {"prompt": "a", "darkroom": {"width": 8192}},
        {"prompt": "a", "darkroom": {"n": 17}},
        {"prompt": "a", "darkroom": {"image": picture, "expand": {"left": 10**9}}},
        {"prompt": "a", "loras": [{"model": "x"}] * 9},
        {"prompt": "a", "metadata": {str(number): "x" for number in range(17)}},
    ):
        answer = await client.post(GENERATIONS, json=body)
        assert answer.status_code == 400, body
        assert error_in(answer)["param"]
    with pytest.raises(ValueError, match="not enough values"):
        await claim_one(services)


@pytest.mark.parametrize("place", ["image", "mask"])
@pytest.mark.parametrize("url", ["http://127.0.0.1:8000/livez", "http://169.254.169.254/latest", "file:///etc/passwd"])
async def test_no_picture_is_fetched_from_inside(client: httpx.AsyncClient, place: str, url: str) -> None:
    asked = {"prompt": "a", "image": base64.b64encode(saved(scene(128, 128))).decode(), place: {"image_url": url}}
    answer = await client.post(EDITS, json=asked)
    assert (answer.status_code, error_in(answer)["code"], error_in(answer)["param"]) == (400, "url_refused", place)


@pytest.mark.parametrize("place", ["image", "mask"])
@pytest.mark.parametrize("side", [13_000, 65_535])
async def test_bombs_are_refused_by_their_header(client: httpx.AsyncClient, place: str, side: int) -> None:
    pictures = {"image": saved(scene(128, 128)), "mask": clear_in_the_middle(), place: png_header(side, side)}
    body = seen_bodies.ai_sdk(pictures["image"], pictures["mask"])
    answer = await client.post(EDITS, content=body, headers=seen_bodies.FORM)
    assert (answer.status_code, error_in(answer)["param"]) == (400, place)
    assert "picture" in error_in(answer)["message"]


def test_a_mask_with_room_for_transparency_and_none_in_it_is_refused_in_our_words() -> None:
    opaque = np.full((8, 8, 4), 255, np.uint8)
    with pytest.raises(InvalidField, match="nothing in it is transparent"):
        inverted(opaque)
    opaque[2, 3, 3] = 0
    assert np.argwhere(inverted(opaque)[..., 0] == 255).tolist() == [[2, 3]]
