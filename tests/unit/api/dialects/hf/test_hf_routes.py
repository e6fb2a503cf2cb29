"""The surface of Hugging Face over fake services, with the worker's part played by hand."""

import asyncio
import base64
import io
import json
from collections.abc import Awaitable
from typing import Any

import httpx
import pytest
from PIL import Image

from api.dialects.hf.shape import shape
from api.problems import problem_of
from darkroom.contract.job import JobState
from darkroom.errors import BrokenWeights, DarkroomError, QueueFull, SafetyUnavailable, UnavailableError
from darkroom.services import Services
from tests.fakes import fake_services
from tests.gateway import API_KEYS, PICTURE, bearer, client_of, fail_one, finish_one

MODEL = "/hf/models/tiny"


def png() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (128, 128), "red").save(file, "PNG")
    return file.getvalue()


async def made(services: Services, answer: Awaitable[httpx.Response]) -> httpx.Response:
    """The answer, while a worker makes the picture."""
    asking = asyncio.ensure_future(answer)
    async with asyncio.timeout(5):
        while not (asking.done() or await services.ledger.waiting()):
            await asyncio.sleep(0.001)
    if not asking.done():
        await finish_one(services)
    return await asking


async def plan_of(services: Services) -> Any:
    (job,) = (await services.ledger.jobs("local", limit=10)).jobs
    return job.plan


@pytest.mark.parametrize(
    "path",
    [
        *("/hf", "/hf/", "/hf/models/tiny", "/hf/models/someone/tiny/"),
        *("/hf/models/Someone/Tiny/pipeline/text-to-image", "/hf/pipeline/text-to-image/someone/tiny"),
    ],
)
async def test_a_picture_is_answered_under_every_name_of_a_model(path: str) -> None:
    services = fake_services()
    async with client_of(services) as client:
        answer = await made(services, client.post(path, json={"inputs": "a cat"}))
    assert (answer.status_code, answer.content) == (200, PICTURE)
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["content-location"].endswith("/images/0")
    assert "darkroom-warning" not in answer.headers


@pytest.mark.parametrize("media_type", ["image/png", "application/octet-stream", ""])
async def test_a_picture_as_the_body_is_one_to_begin_with(media_type: str) -> None:
    services = fake_services()
    async with client_of(services) as client:
        headers = {"Content-Type": media_type} if media_type else {}
        answer = await made(services, client.post(MODEL, content=png(), headers=headers))
    assert answer.status_code == 200, answer.text
    assert (await plan_of(services)).task == "image_to_image"


@pytest.mark.parametrize("media_type", ["application/x-www-form-urlencoded", "text/plain", ""])
async def test_json_is_read_however_it_is_called(media_type: str) -> None:
    services = fake_services()
    async with client_of(services) as client:
        headers = {"Content-Type": media_type} if media_type else {}
        answer = await made(services, client.post(MODEL, content=b' {"inputs": "a cat"}', headers=headers))
    assert answer.status_code == 200, answer.text


async def test_accept_chooses_the_format_unless_a_parameter_does() -> None:
    services = fake_services()
    async with client_of(services) as client:
        await made(services, client.post(MODEL, json={"inputs": "a cat"}, headers={"Accept": "image/webp"}))
        assert (await plan_of(services)).output_format == "webp"
    services = fake_services()
    async with client_of(services) as client:
        body = {"inputs": "a cat", "parameters": {"output_format": "jpeg"}}
        await made(services, client.post(MODEL, json=body, headers={"Accept": "image/png"}))
        assert (await plan_of(services)).output_format == "jpeg"


async def test_what_has_no_effect_is_told_in_a_header_and_kept() -> None:
    services = fake_services()
    async with client_of(services) as client:
        answer = await made(services, client.post(MODEL, json={"inputs": "a cat", "parameters": {"eta": 0.5}}))
    assert answer.headers["darkroom-warning"] == "field=parameters.eta; reason=not known here"
    assert (await plan_of(services)).warnings[0].field == "parameters.eta"


async def test_a_strict_service_refuses_it() -> None:
    async with client_of(fake_services(compat_strict=True)) as client:
        answer = await client.post(MODEL, json={"inputs": "a cat", "parameters": {"eta": 0.5}})
    assert answer.status_code == 422
    assert answer.json() == {"error": "parameters.eta: not known here", "code": "invalid_field"}


async def test_an_unknown_model_is_a_404_that_lists_the_known() -> None:
    async with client_of(fake_services()) as client:
        answer = await client.post("/hf/models/someone/else", json={"inputs": "a cat"})
    assert answer.status_code == 404
    assert answer.json()["code"] == "unknown_model"
    assert answer.json()["error"].endswith("known: tiny")


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"inputs": "a", "parameters": {"width": 1024}}, "parameters.width: must be from 128 to 512 for tiny"),
        ({"inputs": "a", "parameters": {"num_inference_steps": 900}}, "parameters.num_inference_steps: "),
        ({"inputs": "nothing", "parameters": {"prompt": "a"}}, "inputs: neither base64, "),
        ({"inputs": "http://127.0.0.1/", "parameters": {"prompt": "a"}}, "inputs: "),
        ({"inputs": "a", "parameters": {"width": "1", "height": "2"}}, "parameters.width: "),
    ],
)
async def test_a_refusal_is_one_text_that_names_the_caller_s_field(body: dict[str, Any], error: str) -> None:
    async with client_of(fake_services()) as client:
        answer = await client.post(MODEL, json=body)
    assert answer.status_code == 422
    assert answer.json()["error"].startswith(error), answer.text


@pytest.mark.parametrize(
    ("content", "status"),
    [(b"", 400), (b"{", 400), (b"[" * 9, 422), (b"not a picture", 422), (b'{"inputs": NaN}', 422)],
)
async def test_a_body_that_is_nothing_is_refused(content: bytes, status: int) -> None:
    async with client_of(fake_services()) as client:
        answer = await client.post(MODEL, content=content)
    assert answer.status_code == status, answer.text
    assert isinstance(answer.json()["error"], str)


async def test_too_large_a_picture_is_refused() -> None:
    async with client_of(fake_services()) as client:
        answer = await client.post(MODEL, content=b"\x89PNG" + bytes(13 * 1024 * 1024))
    assert answer.status_code == 413


async def test_a_full_queue_is_a_503_with_a_time_to_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    services = fake_services()

    async def full(*_: Any) -> None:
        raise QueueFull("too much waits", retry_after=7)

    monkeypatch.setattr(services.ledger, "submit", full)
    async with client_of(services) as client:
        answer = await client.post(MODEL, json={"inputs": "a cat"})
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) >= 7
    assert answer.json() == {"error": "too much waits", "code": "queue_full"}


@pytest.mark.parametrize(("agent", "pauses"), [("@huggingface/inference/4.13.30", 1), ("hf_hub/2.4.0", 0)])
async def test_a_client_that_would_ask_again_at_once_hears_of_it_later(
    agent: str, pauses: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    services, slept = fake_services(), []

    async def full(*_: Any) -> None:
        raise QueueFull("too much waits")

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr(services.ledger, "submit", full)
    monkeypatch.setattr("api.dialects.hf.pace.asyncio.sleep", sleep)
    async with client_of(services) as client:
        answer = await client.post(MODEL, json={"inputs": "a cat"}, headers={"User-Agent": agent})
        wrong = await client.post(MODEL, json={"inputs": 7}, headers={"User-Agent": agent})
    assert (answer.status_code, wrong.status_code) == (503, 422)
    assert slept == [1.0] * pauses


@pytest.mark.parametrize("code", ["out_of_memory", "safety_unavailable", "model_error", "signing_unavailable"])
async def test_what_failed_is_not_a_503_which_one_of_the_clients_repeats_without_end(code: str) -> None:
    services = fake_services()
    async with client_of(services) as client:
        asking = asyncio.ensure_future(client.post(MODEL, json={"inputs": "a cat"}))
        while not await services.ledger.waiting():
            await asyncio.sleep(0.001)
        await fail_one(services, code)
        answer = await asking
    assert (answer.status_code, answer.headers.get("Retry-After")) == (500, None)
    assert answer.json() == {"error": "the device ran out of memory", "code": code}


def test_nothing_that_a_job_ended_with_is_one() -> None:
    error = UnavailableError("of a kind that there is not yet")
    assert shape(problem_of(error), {}).status_code == 503
    error.ended_job = True
    assert shape(problem_of(error), {}).status_code == 500


@pytest.mark.parametrize(
    "error", [BrokenWeights("unet.safetensors", "is cut short"), SafetyUnavailable("image 0 was not looked at")]
)
def test_what_a_person_has_to_mend_is_none_either(error: DarkroomError) -> None:
    assert shape(problem_of(error), {"Retry-After": "30"}).status_code == 500


async def test_nobody_gets_in_without_a_key() -> None:
    async with client_of(fake_services(allow_anonymous=False, api_keys=API_KEYS)) as client:
        for path in (MODEL, "/hf/models/no-such-model"):
            answer = await client.post(path, json={"inputs": "a cat"})
            assert answer.status_code == 401
            assert isinstance(answer.json()["error"], str)
        assert (await client.get(MODEL)).status_code == 401
        assert (await client.get(MODEL, headers=bearer("alice"))).status_code == 200


async def test_a_model_tells_what_it_is_and_whether_it_is_served() -> None:
    services = fake_services()
    async with client_of(services) as client:
        told = (await client.get(MODEL)).json()
        assert (told["id"], told["pipeline_tag"], told["state"]) == ("tiny", "text-to-image", "Loadable")
        assert (await client.get(f"{MODEL}/health")).status_code == 404
        await services.ledger.attend("worker-1", ["tiny"])
        assert (await client.get(f"{MODEL}/health")).status_code == 200
        assert (await client.get("/hf/status/someone/tiny")).json()["loaded"] is True
        assert (await client.get(f"{MODEL}/info")).json()["state"] == "Loaded"
        assert (await client.get("/hf/models/else")).json()["code"] == "unknown_model"


async def test_where_it_is_not_spoken_its_paths_are_not_there() -> None:
    async with client_of(fake_services(compat=("openai",))) as client:
        answer = await client.post(MODEL, json={"inputs": "a cat"})
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_caller_who_asks_again_with_an_idempotency_key_gets_the_same_picture() -> None:
    services = fake_services()
    async with client_of(services) as client:
        body, headers = {"inputs": base64.b64encode(png()).decode(), "parameters": {"prompt": "a"}}, {}
        headers["Idempotency-Key"] = "k1"
        first = await made(services, client.post(MODEL, content=json.dumps(body), headers=headers))
        again = await client.post(MODEL, content=json.dumps(body), headers=headers)
    assert first.status_code == again.status_code == 200
    assert first.headers["content-location"] == again.headers["content-location"]
    (job,) = (await services.ledger.jobs("local", limit=10)).jobs
    assert job.state is JobState.SUCCEEDED
