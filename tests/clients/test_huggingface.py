"""`huggingface_hub` and `@huggingface/inference` against the running service."""

import asyncio
import base64
import io
from collections.abc import Iterator

import httpx
import pytest
from huggingface_hub import AsyncInferenceClient, InferenceClient
from huggingface_hub.errors import BadRequestError, HfHubHTTPError, InferenceTimeoutError
from PIL import Image, ImageChops, ImageDraw

from tests.clients.conftest import RunNode
from tests.clients.flavours import Running
from tests.until import until

PROMPT = "a red circle on a white background"
MODEL = "someone/tiny"
MARK = 24  # more than a watermark, which is another on each picture, changes a value by


def endpoint(service: Running, model: str = MODEL) -> str:
    return f"{service.url}/hf/models/{model}"


@pytest.fixture
def client(keyed: Running) -> Iterator[InferenceClient]:
    with InferenceClient(base_url=endpoint(keyed), api_key=keyed.keys["ann"], timeout=120) as client:
        yield client


def png(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def furthest(one: Image.Image, other: Image.Image) -> int:
    """Between the values of any pixel, of 255."""
    bands: list[tuple[int, int]] = ImageChops.difference(one.convert("RGB"), other.convert("RGB")).getextrema()
    return max(most for _, most in bands)


def test_words_become_the_picture_that_a_seed_stands_for(client: InferenceClient) -> None:
    first = client.text_to_image(PROMPT, seed=7, num_inference_steps=6)
    again = client.text_to_image(PROMPT, seed=7, num_inference_steps=6, width=128, height=128)
    other = client.text_to_image(PROMPT, seed=8, num_inference_steps=6)
    assert (first.format, first.size) == ("PNG", (128, 128))
    assert furthest(first, again) < MARK < furthest(first, other)


def test_every_parameter_and_ours_beside_them_are_taken(client: InferenceClient) -> None:
    made = client.text_to_image(
        PROMPT,
        negative_prompt="blue",
        width=192,
        height=128,
        num_inference_steps=4,
        guidance_scale=3.5,
        scheduler="EulerDiscreteScheduler",
        seed=1,
        extra_body={"loras": [{"model": "outline", "weight": 0.5}], "output_format": "webp"},
    )
    assert (made.format, made.size) == ("WEBP", (192, 128))


def test_the_provider_may_be_named_and_the_url_be_the_model(keyed: Running) -> None:
    client = InferenceClient(model=endpoint(keyed), provider="hf-inference", token=keyed.keys["ann"])
    assert client.text_to_image(PROMPT, num_inference_steps=2).size == (128, 128)
    assert client.health_check() is True
    assert client.get_endpoint_info()["model_id"] == "tiny"


def test_a_picture_becomes_another_in_all_the_ways_it_is_sent(client: InferenceClient) -> None:
    start = client.text_to_image(PROMPT, seed=7, num_inference_steps=6)
    raw = client.image_to_image(png(start))
    assert raw.size == (128, 128)
    drawn = client.image_to_image(
        png(start),
        prompt="a blue square",
        strength=0.6,
        num_inference_steps=6,
        target_size={"width": 192, "height": 128},
    )
    assert drawn.size == (192, 128)


def test_a_mask_leaves_the_rest_as_it_was(client: InferenceClient) -> None:
    start = client.text_to_image(PROMPT, seed=7, num_inference_steps=6).convert("RGB")
    mask = Image.new("L", start.size, 0)
    ImageDraw.Draw(mask).rectangle((64, 0, 127, 127), fill=255)
    drawn = client.image_to_image(
        png(start),
        prompt="a blue square",
        num_inference_steps=6,
        mask_image=base64.b64encode(png(mask)).decode(),
        masked_content="fill",
        mask_blur=0,
    ).convert("RGB")
    left, right = (0, 0, 48, 128), (80, 0, 128, 128)
    assert furthest(start.crop(left), drawn.crop(left)) < MARK < furthest(start.crop(right), drawn.crop(right))


def test_refusals_become_the_client_s_own_exceptions_with_our_words(client: InferenceClient, keyed: Running) -> None:
    with pytest.raises(HfHubHTTPError, match="known: tiny") as unknown:
        InferenceClient(base_url=endpoint(keyed, "someone/else"), token=keyed.keys["ann"]).text_to_image(PROMPT)
    assert unknown.value.response.status_code == 404
    with pytest.raises(HfHubHTTPError, match=r"parameters\.width: must be from 128 to 512 for tiny") as wide:
        client.text_to_image(PROMPT, width=1024, height=1024)
    assert wide.value.response.status_code == 422
    with pytest.raises(HfHubHTTPError, match="the API key is not known") as stranger:
        InferenceClient(base_url=endpoint(keyed), token="dk_nobody").text_to_image(PROMPT)
    assert stranger.value.response.status_code == 401
    with pytest.raises(BadRequestError):
        client.image_to_image(b'{"inputs": ')


def test_who_does_not_wait_leaves_no_work_behind(keyed: Running) -> None:
    client = InferenceClient(base_url=endpoint(keyed), token=keyed.keys["ben"], timeout=2)

    def states() -> list[str]:
        answer = httpx.get(f"{keyed.url}/api/v1/generations?limit=100", headers=keyed.headers("ben")).json()
        return [job["state"] for job in answer["generations"]]

    before = states()
    with pytest.raises(InferenceTimeoutError):
        client.text_to_image(PROMPT, num_inference_steps=150, width=256, height=256)
    asyncio.run(until(lambda: states() == ["canceled", *before], 30))


def test_the_asynchronous_client_makes_several_at_once(service: Running) -> None:
    async def make() -> list[Image.Image]:
        async with AsyncInferenceClient(base_url=endpoint(service)) as client:
            return await asyncio.gather(*(client.text_to_image(PROMPT, num_inference_steps=2) for _ in range(3)))

    assert [picture.size for picture in asyncio.run(make())] == [(128, 128)] * 3


def test_the_client_for_javascript_works(node: RunNode, keyed: Running) -> None:
    assert "pass 5" in node("huggingface.test.mjs", **keyed.environment())
