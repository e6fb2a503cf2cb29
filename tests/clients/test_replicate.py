"""`replicate`, in Python and JavaScript, against the running service."""

import asyncio
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import replicate
from PIL import Image, ImageDraw
from replicate.exceptions import ReplicateError
from replicate.helpers import FileOutput
from replicate.webhook import InvalidSignatureError, Webhooks, WebhookSigningSecret

from tests.clients.conftest import RunNode
from tests.clients.flavours import Running
from tests.receiver import OTHER_SECRET, receiving

MODEL = "stability-ai/tiny"
INPUT = {"prompt": "a red circle on a white background", "num_inference_steps": 4, "seed": 7}
LONG = {"prompt": "a", "num_inference_steps": 150, "width": 256, "height": 256}


@pytest.fixture
def client(keyed: Running) -> Iterator[replicate.Client]:
    with client_of(keyed) as client:
        yield client


@contextmanager
def client_of(service: Running, key: str | None = None) -> Iterator[replicate.Client]:
    """It cannot be closed, but what it sends by can."""
    with httpx.HTTPTransport() as transport:
        yield replicate.Client(key or service.keys["ann"], base_url=f"{service.url}/replicate", transport=transport)


def opened(output: Any) -> Image.Image:
    assert isinstance(output, FileOutput)
    return Image.open(io.BytesIO(output.read()))


def png(picture: Image.Image) -> io.BytesIO:
    file = io.BytesIO()
    picture.save(file, "PNG")
    file.seek(0)
    return file


def test_run_gives_files(client: replicate.Client) -> None:
    output = client.run(MODEL, input={**INPUT, "num_outputs": 2, "width": 192, "scheduler": "K_EULER"})
    assert [opened(each).size for each in output] == [(192, 128), (192, 128)]


def test_a_version_may_be_run_and_is_told_with_its_schema(client: replicate.Client) -> None:
    model = client.models.get(MODEL)
    assert [each.name for each in client.models.list()] == ["tiny"]
    version = model.versions.get(model.latest_version.id)
    assert version.openapi_schema["components"]["schemas"]["Input"]["properties"]["width"]["default"] == 128
    (output,) = client.run(f"{MODEL}:{version.id}", input=INPUT)
    assert opened(output).size == (128, 128)


def test_a_prediction_is_created_looked_at_waited_for_and_listed(client: replicate.Client) -> None:
    made = client.models.predictions.create(MODEL, input=INPUT)
    assert made.status in ("starting", "processing")
    made.wait()
    assert made.status == "succeeded"
    assert (made.progress.current, made.progress.total, made.progress.percentage) == (4, 4, 1.0)
    assert made.metrics["predict_time"] > 0
    assert made.input["seed"] == 7
    assert made.id in [each.id for each in client.predictions.list()]
    again = client.predictions.get(made.id)
    assert again.output == made.output


def test_a_long_one_is_waited_for_beyond_what_the_request_was(client: replicate.Client) -> None:
    waited = client.predictions.create(version="tiny", input=LONG, wait=1)
    assert waited.status == "starting"
    waited.reload()
    assert waited.status in ("starting", "processing")
    waited.cancel()
    assert waited.status == "canceled"


def test_pages_are_followed(client: replicate.Client) -> None:
    for _ in range(2):
        client.models.predictions.create(MODEL, input=INPUT).wait()
    page = client.predictions.list()
    assert len(page.results) > 1
    older = client.predictions.list(f"/v1/predictions?cursor={page.results[0].id}")
    assert [each.id for each in older][: len(page.results) - 1] == [each.id for each in page.results[1:]]
    seen = {each.id for each in page.results}
    while page.next:
        page = client.predictions.list(page.next)
        assert not seen & {each.id for each in page.results}
        seen |= {each.id for each in page.results}


def test_a_stream_tells_progress_the_picture_and_the_end(client: replicate.Client) -> None:
    events = list(client.stream(MODEL, input=INPUT))
    assert {event.event.value for event in events[:-2]} <= {"logs"}
    assert [event.event.value for event in events[-2:]] == ["output", "done"]
    assert opened(events[-2].data).size == (128, 128)


def test_files_are_uploaded_and_begun_with(client: replicate.Client, tmp_path: Path) -> None:
    start = png(Image.new("RGB", (128, 128), "white"))
    mask = Image.new("L", (128, 128), 0)
    ImageDraw.Draw(mask).ellipse((32, 32, 96, 96), fill=255)
    (tmp_path / "mask.png").write_bytes(png(mask).getvalue())
    file = client.files.create(tmp_path / "mask.png")
    assert client.files.get(file.id).size == file.size
    asked = {**INPUT, "image": start, "mask": file.urls["get"], "prompt_strength": 0.9, "masked_content": "fill"}
    (output,) = client.run(MODEL, input=asked)
    assert opened(output).convert("RGB").getpixel((2, 2)) > (230, 230, 230)
    inline = {**INPUT, "image": start, "prompt_strength": 0.5}
    (output,) = client.run(MODEL, input=inline, file_encoding_strategy="base64")
    assert opened(output).size == (128, 128)


def test_refusals_are_problems_and_nobody_sees_what_is_another_s(client: replicate.Client, keyed: Running) -> None:
    with pytest.raises(ReplicateError, match=r"input\.width: must be from 128 to 512 for tiny") as refused:
        client.run(MODEL, input={**INPUT, "width": 1024})
    assert (refused.value.status, refused.value.title) == (422, "Invalid field")
    with pytest.raises(ReplicateError, match="known: tiny"):
        client.run("stability-ai/sdxl", input=INPUT)
    made = client.models.predictions.create(MODEL, input=INPUT)
    with client_of(keyed, keyed.keys["ben"]) as other, pytest.raises(ReplicateError) as hidden:
        other.predictions.get(made.id)
    assert hidden.value.status == 404
    assert client.accounts.current().username == "ann"
    with client_of(keyed, "dk_nobody") as nobody, pytest.raises(ReplicateError) as stranger:
        nobody.accounts.current()
    assert stranger.value.status == 401


def test_the_asynchronous_client_runs_streams_and_is_told_by_signed_webhooks(keyed: Running) -> None:
    async def together() -> None:
        async with httpx.AsyncHTTPTransport() as transport:
            base = f"{keyed.url}/replicate"
            await used(replicate.Client(keyed.keys["ann"], base_url=base, transport=transport))

    async def used(client: replicate.Client) -> None:
        secret = await client.webhooks.default.async_secret()
        async with receiving(port=keyed.receiver_ports[1]) as receiver:
            made = await client.models.predictions.async_create(
                MODEL, input=INPUT, webhook=receiver.url, webhook_events_filter=["start", "completed"]
            )
            await made.async_wait()
            messages = await receiver.got(2, seconds=60)
        told = [json.loads(message.body) for message in messages]
        assert {each["id"] for each in told} == {made.id}
        assert "succeeded" in {each["status"] for each in told}
        for message in messages:
            body = message.body.decode()
            Webhooks.validate(headers=message.headers, body=body, secret=secret, tolerance=300)
            with pytest.raises(InvalidSignatureError):
                Webhooks.validate(headers=message.headers, body=body, secret=WebhookSigningSecret(key=OTHER_SECRET))
        (output,) = await client.async_run(MODEL, input=INPUT)
        assert await output.aread()
        heard = [event.event.value async for event in await client.async_stream(MODEL, input=INPUT)]
        assert heard[-2:] == ["output", "done"]

    asyncio.run(together())


def test_pictures_in_s3_are_had_as_well(on_s3: Running) -> None:
    with client_of(on_s3) as client:
        (output,) = client.run(MODEL, input=INPUT)
        assert opened(output).size == (128, 128)


def test_the_client_for_javascript_works(node: RunNode, keyed: Running) -> None:
    port = str(keyed.receiver_ports[2])
    assert "pass 7" in node("replicate.test.mjs", RECEIVER_PORT=port, **keyed.environment())
