"""`openai`, `litellm`, openai-node and the AI SDK against the running service."""

import base64
import io
from collections.abc import Iterator
from typing import Any

import httpx
import openai
import pytest
from PIL import Image, ImageChops

from tests.clients.conftest import RunNode
from tests.clients.flavours import Running

PROMPT = "a red circle on a white background"
MARK = 24  # more than a watermark, which is another on each picture, changes a value by


@pytest.fixture
def client(keyed: Running) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{keyed.url}/v1", api_key=keyed.keys["ann"], timeout=120) as client:
        yield client


def opened(b64: str | None) -> Image.Image:
    assert b64 is not None
    picture = Image.open(io.BytesIO(base64.b64decode(b64)))
    picture.load()
    return picture


def png(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def furthest(one: Image.Image, other: Image.Image) -> int:
    """Between the values of any pixel, of 255."""
    bands: list[tuple[int, int]] = ImageChops.difference(one.convert("RGB"), other.convert("RGB")).getextrema()
    return max(most for _, most in bands)


def circle(client: openai.OpenAI) -> Image.Image:
    made = client.images.generate(prompt=PROMPT, extra_body={"seed": 7, "steps": 6})
    return opened(made.data[0].b64_json)  # type: ignore[index]


def test_words_become_the_pictures_that_their_seeds_stand_for(client: openai.OpenAI) -> None:
    made = client.images.generate(prompt=PROMPT, n=2, size="128x192", quality="low", extra_body={"seed": 7})
    assert made.data is not None
    first, second = (opened(each.b64_json) for each in made.data)
    assert (first.format, first.size, second.size, made.size) == ("PNG", (128, 192), (128, 192), "128x192")
    assert (made.quality, made.output_format, made.background) == ("low", "png", "opaque")
    assert made.usage is not None
    assert made.usage.input_tokens == 7
    alone = client.images.generate(prompt=PROMPT, size="128x192", quality="low", extra_body={"seed": 8})
    assert furthest(opened(alone.data[0].b64_json), second) < MARK < furthest(first, second)  # type: ignore[index]


def test_formats_and_links(client: openai.OpenAI, on_s3: Running) -> None:
    made = client.images.generate(
        prompt=PROMPT, output_format="webp", output_compression=80, response_format="url", extra_body={"steps": 3}
    )
    picture = httpx.get(made.data[0].url)  # type: ignore[index, arg-type]
    assert picture.headers["content-type"] == "image/webp"
    assert Image.open(io.BytesIO(picture.content)).size == (128, 128)
    with openai.OpenAI(base_url=f"{on_s3.url}/v1", api_key=on_s3.keys["ann"]) as elsewhere:
        made = elsewhere.images.generate(prompt=PROMPT, response_format="url", extra_body={"steps": 3})
    url = made.data[0].url  # type: ignore[index]
    assert not url.startswith(on_s3.url)  # type: ignore[union-attr]
    assert httpx.get(url).headers["content-type"] == "image/png"  # type: ignore[arg-type]


def test_warnings_are_headers_and_stand_in_the_generation(client: openai.OpenAI, keyed: Running) -> None:
    raw = client.images.with_raw_response.generate(
        model="gpt-image-1",
        prompt=PROMPT,
        style="natural",
        user="bob@example.com",
        extra_body={"steps": 3},
    )
    assert raw.headers.get_list("Darkroom-Warning") == [
        "field=model; reason=gpt-image-1 is not here, and tiny made the pictures",
        "field=style; reason=has no effect here",
    ]
    told: Any = raw.parse().model_extra
    headers = keyed.headers("ann")
    generation = httpx.get(f"{keyed.url}/api/v1/generations/{told['darkroom']['id']}", headers=headers)
    # Another picture may be one that holds a watermark badly, which is told as well.
    assert [notice["field"] for notice in generation.json()["warnings"]][:2] == ["model", "style"]
    assert "bob" not in generation.text


def test_what_a_mask_leaves_alone_stays_to_the_last_bit_but_for_the_mark(client: openai.OpenAI) -> None:
    before = circle(client)
    mask = Image.new("RGBA", before.size, (0, 0, 0, 255))
    mask.paste((0, 0, 0, 0), (0, 0, 128, 64))
    made = client.images.edit(
        image=png(before), mask=png(mask), prompt="a blue background", extra_body={"seed": 3, "steps": 6}
    )
    after = opened(made.data[0].b64_json)  # type: ignore[index]
    upper, lower = (0, 0, 128, 60), (0, 68, 128, 128)
    assert furthest(before.crop(lower), after.crop(lower)) < MARK < furthest(before.crop(upper), after.crop(upper))


def test_a_list_of_pictures_and_ours_in_one_field(client: openai.OpenAI) -> None:
    before = circle(client)
    files = [("a.png", png(before), "image/png"), ("b.png", png(before), "image/png")]
    raw = client.images.with_raw_response.edit(
        image=files, prompt=PROMPT, extra_body={"darkroom": '{"strength": 0.2, "steps": 10, "seed": 7}'}
    )
    assert "only the first picture" in raw.headers["Darkroom-Warning"]
    after = opened(raw.parse().data[0].b64_json)  # type: ignore[index]
    assert after.size == before.size


def test_a_variation_is_like_its_picture(client: openai.OpenAI, keyed: Running) -> None:
    files = {"image": ("a.png", png(circle(client)), "image/png")}
    answer = httpx.post(f"{keyed.url}/v1/images/variations", files=files, headers=keyed.headers("ann"), timeout=60)
    assert opened(answer.json()["data"][0]["b64_json"]).size == (128, 128)


def test_a_stream_shows_sketches_and_then_the_picture(client: openai.OpenAI) -> None:
    stream = client.images.generate(
        prompt=PROMPT, stream=True, partial_images=3, size="256x256", extra_body={"steps": 120, "seed": 7}
    )
    *sketches, last = list(stream)
    assert sketches, "a second and more, and nothing was shown"
    assert [event.type for event in sketches] == ["image_generation.partial_image"] * len(sketches)
    assert [event.partial_image_index for event in sketches] == list(range(len(sketches)))  # type: ignore[union-attr]
    assert {opened(event.b64_json).size for event in sketches} == {(256, 256)}
    assert last.type == "image_generation.completed"
    assert last.usage.total_tokens == 7
    assert (opened(last.b64_json).size, last.size) == ((256, 256), "256x256")


def test_an_edit_is_streamed_as_well(client: openai.OpenAI) -> None:
    stream = client.images.edit(
        image=png(circle(client)), prompt=PROMPT, stream=True, extra_body={"steps": 3, "seed": 7}
    )
    (event,) = list(stream)
    assert event.type == "image_edit.completed"


def test_models_are_listed(client: openai.OpenAI) -> None:
    assert [model.id for model in client.models.list()] == ["tiny"]
    assert client.models.retrieve("tiny").object == "model"
    with pytest.raises(openai.NotFoundError, match="known: tiny"):
        client.models.retrieve("sdxl")


@pytest.mark.parametrize(
    ("asked", "kind", "code"),
    [
        ({"size": "1024x1024"}, openai.BadRequestError, "invalid_value"),
        ({"model": "sdxl"}, openai.NotFoundError, "model_not_found"),
        ({"size": "1024x1024", "stream": True}, openai.BadRequestError, "invalid_value"),
        ({"background": "transparent"}, openai.BadRequestError, "invalid_value"),
    ],
)
def test_what_is_wrong_is_an_error_of_the_sdk(
    client: openai.OpenAI, asked: dict[str, Any], kind: type[openai.APIStatusError], code: str
) -> None:
    with pytest.raises(kind) as refused:
        client.images.generate(prompt=PROMPT, **asked)
    assert (refused.value.code, refused.value.type) == (code, "invalid_request_error")
    assert refused.value.param in asked
    assert refused.value.request_id


def test_a_wrong_key_is_an_error_of_the_sdk(client: openai.OpenAI) -> None:
    with pytest.raises(openai.AuthenticationError):
        client.with_options(api_key="dk_wrong").images.generate(prompt=PROMPT)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore::pydantic.warnings.PydanticDeprecatedSince20")
def test_litellm_makes_pictures(keyed: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    import litellm

    place = {"api_base": f"{keyed.url}/v1", "api_key": keyed.keys["ann"]}
    made = litellm.image_generation(model="openai/tiny", prompt=PROMPT, size="128x128", n=1, **place)
    assert opened(made.data[0].b64_json).size == (128, 128)
    with pytest.raises(litellm.BadRequestError, match="512"):
        litellm.image_generation(model="openai/tiny", prompt=PROMPT, size="1024x1024", max_retries=0, **place)


def test_open_webui_makes_and_edits_pictures(keyed: Running) -> None:
    """As its documentation has the requests of its image engines `openai`."""
    headers = keyed.headers("ann")
    asked = {"model": "dall-e-2", "prompt": PROMPT, "n": 1, "size": "128x128", "response_format": "b64_json"}
    made = httpx.post(f"{keyed.url}/v1/images/generations", json=asked, headers=headers, timeout=60)
    before = opened(made.json()["data"][0]["b64_json"])
    fields = {"model": "gpt-image-1", "prompt": "a blue circle", "n": "1", "response_format": "b64_json"}
    files = {"image": ("image.png", png(before), "image/png")}
    edited = httpx.post(f"{keyed.url}/v1/images/edits", data=fields, files=files, headers=headers, timeout=60)
    assert opened(edited.json()["data"][0]["b64_json"]).size == (128, 128)


def test_sillytavern_looks_whether_somebody_is_there(keyed: Running) -> None:
    assert httpx.options(f"{keyed.url}/v1/images/generations").status_code == 204


def test_openai_node_and_the_ai_sdk(node: RunNode, keyed: Running) -> None:
    assert "fail 0" in node("openai.test.mjs", **keyed.environment())
