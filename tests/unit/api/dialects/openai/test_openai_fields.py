"""Bodies of OpenAI's Images API -> fields of ours."""

from typing import Any

import pytest
from fastapi.exceptions import RequestValidationError
from hypothesis import given, settings
from hypothesis import strategies as st

from api.dialects.openai.fields import Wanted, wanted
from api.dialects.openai.inputs import edited
from api.dialects.openai.users import user_of
from api.dialects.remarks import Remarks
from api.dialects.requested import requested
from darkroom.contract.generation import GenerationRequest
from darkroom.errors import InvalidField, UnknownModel
from tests.fakes import fake_catalog
from tests.unit.api.dialects.openai.seen_bodies import JSON

ALIASES = {"turbo": "tiny"}


def read(body: dict[str, Any], *, strict: bool = False) -> tuple[Wanted, Remarks]:
    remarks = Remarks(strict=strict)
    return wanted(body, fake_catalog(), ALIASES, remarks), remarks


def asked(**body: Any) -> GenerationRequest:
    found, _ = read({"prompt": "a red circle", **body})
    return requested(found.fields, found.names)


def told(remarks: Remarks) -> list[str]:
    return [notice.field for notice in remarks.notices]


@pytest.mark.parametrize("who", JSON)
def test_what_clients_send_by_themselves_is_taken_and_warns_of_nothing_but_foreign_models(who: str) -> None:
    found, remarks = read(JSON[who])
    requested(found.fields, found.names)
    foreign = str(JSON[who].get("model", "")).startswith(("dall-e", "gpt"))
    warned = ["model"] if foreign else []
    assert told(remarks) == (["quality"] if "steps" in JSON[who] else warned)


def test_what_is_left_out_is_the_models_own() -> None:
    request = asked()
    assert (request.model, request.n, request.steps, request.output_format) == ("tiny", 1, None, "png")
    assert (request.width, request.height) == (None, None)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "name", ["dall-e-2", "dall-e-3", "gpt-image-1", "gpt-image-2.5-flare-2026-09-08", "chatgpt-image-latest"]
)
def test_models_of_openai_are_the_default_one_with_a_warning(name: str) -> None:
    found, remarks = read({"prompt": "a", "model": name})
    assert found.fields["model"] == "tiny"
    assert told(remarks) == ["model"]
    with pytest.raises(InvalidField):
        read({"prompt": "a", "model": name}, strict=True)


def test_names_that_the_operator_gave_mean_what_they_stand_for() -> None:
    found, remarks = read({"prompt": "a", "model": "turbo"}, strict=True)
    assert (found.fields["model"], told(remarks)) == ("tiny", [])


@pytest.mark.parametrize("name", ["sdxl", "gpt-4o", "Dall-E 3", "dall-e-3\n", "x" * 128])
def test_a_model_that_nobody_knows_is_told_with_those_there_are(name: str) -> None:
    with pytest.raises(UnknownModel, match="known: tiny"):
        read({"prompt": "a", "model": name})


@pytest.mark.parametrize(
    ("quality", "steps", "answered"),
    [(None, None, "medium"), ("auto", None, "medium"), ("standard", None, "medium"), ("medium", None, "medium"),
     ("low", 10, "low"), ("high", 30, "high"), ("hd", 30, "high"), ("xhigh", 40, "xhigh"), ("max", 60, "max")],
)  # fmt: skip
def test_quality_is_a_share_of_the_models_steps(quality: str | None, steps: int | None, answered: str) -> None:
    found, _ = read({"prompt": "a", "quality": quality})
    assert (found.fields["steps"], found.quality) == (steps, answered)


def test_quality_asks_for_no_more_steps_than_a_scheduler_has() -> None:
    found, _ = read({"prompt": "a", "quality": "max", "scheduler": "lcm"})
    assert found.fields["steps"] == 50


def test_steps_that_are_asked_for_themselves_go_before_quality() -> None:
    found, remarks = read({"prompt": "a", "quality": "high", "num_inference_steps": 5})
    assert (found.fields["steps"], found.quality, told(remarks)) == (5, None, ["quality"])


@pytest.mark.parametrize(("size", "sides"), [("128x256", (128, 256)), ("auto", (None, None)), ("", (None, None))])
def test_a_size_is_two_sides_or_the_models(size: str, sides: tuple[int | None, int | None]) -> None:
    request = asked(size=size)
    assert (request.width, request.height) == sides  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("field", "value"),
    [("size", "100x100"), ("size", "128X128"), ("size", "0x0"), ("size", "128"), ("size", 128), ("size", "1e2x128"),
     ("size", "-8x8"), ("size", "٨x٨"), ("size", "128x128 "), ("size", "9" * 5000 + "x8"),
     ("n", 0), ("n", 11), ("n", True), ("n", 1.5), ("n", "2"), ("n", 10**30),
     ("quality", "ultra"), ("quality", 1), ("response_format", "bytes"), ("background", "transparent"),
     ("background", "red"), ("output_format", "gif"), ("output_format", "svg"), ("output_format", "jpg"),
     ("output_compression", 101), ("output_compression", -1), ("stream", "yes"), ("stream", 1),
     ("partial_images", 4), ("partial_images", -1), ("model", 3), ("model", "x" * 129), ("prompt", None),
     ("darkroom", "x"), ("darkroom", [])],
)  # fmt: skip
def test_what_cannot_be_is_refused_by_its_name(field: str, value: Any) -> None:
    with pytest.raises(InvalidField) as refused:
        read({"prompt": "a", field: value})
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("said", "value", "field"),
    [("negative_prompt", "blue", "negative_prompt"), ("seed", 7, "seed"), ("num_inference_steps", 5, "steps"),
     ("steps", 5, "steps"), ("cfg_scale", 2, "guidance_scale"), ("guidance_scale", 2.5, "guidance_scale"),
     ("scheduler", "euler", "scheduler"), ("clip_skip", 1, "clip_skip"), ("deterministic", True, "deterministic"),
     ("webhook", "https://hooks.example/", "webhook_url"), ("priority", "bulk", "priority")],
)  # fmt: skip
def test_our_own_fields_are_taken_at_the_top(said: str, value: Any, field: str) -> None:
    assert getattr(asked(**{said: value}), field) == value


def test_all_of_ours_are_taken_inside_darkroom_and_go_before_others() -> None:
    request = asked(steps=5, size="128x128", darkroom={"steps": 6, "width": 256, "metadata": {"a": "b"}})
    assert (request.steps, request.width, request.metadata) == (6, 256, {"a": "b"})  # type: ignore[union-attr]


def test_a_model_inside_darkroom_is_the_one_that_makes_the_pictures() -> None:
    found, remarks = read({"prompt": "a", "model": "dall-e-3", "darkroom": {"model": "turbo"}})
    assert (found.fields["model"], told(remarks)) == ("tiny", [])
    with pytest.raises(UnknownModel) as refused:
        read({"prompt": "a", "darkroom": {"model": "sdxl"}})
    assert refused.value.field == "darkroom.model"


def test_a_seed_of_minus_one_is_any() -> None:
    assert asked(seed=-1).seed is None


@pytest.mark.parametrize(
    ("body", "at"),
    [({"steps": 0}, "steps"), ({"num_inference_steps": "x"}, "num_inference_steps"), ({"cfg_scale": -1}, "cfg_scale"),
     ({"loras": [{"model": 3}]}, "loras.0.model"), ({"darkroom": {"foo": 1}}, "darkroom.foo"),
     ({"darkroom": {"steps": "x"}}, "darkroom.steps"), ({"prompt": 3}, "prompt"), ({"prompt": "x" * 10_001}, "prompt")],
)  # fmt: skip
def test_what_the_contract_refuses_is_named_as_the_caller_named_it(body: dict[str, Any], at: str) -> None:
    with pytest.raises(RequestValidationError) as refused:
        asked(**body)
    assert ".".join(map(str, refused.value.errors()[0]["loc"][1:])) == at


NEUTRAL: dict[str, Any] = {
    "style": "vivid",
    "moderation": "low",
    "input_fidelity": "low",
    "user": "u",
    "safety_identifier": "s",
    "background": "opaque",
    "response_format": "url",
    "output_compression": 100,
    "partial_images": 0,
    "stream": False,
    "foo": None,
    "svg": {},
}


def test_values_that_say_nothing_warn_nobody() -> None:
    _, remarks = read({"prompt": "a", **NEUTRAL}, strict=True)
    assert told(remarks) == []


@pytest.mark.parametrize(
    ("field", "value"),
    [("style", "natural"), ("input_fidelity", "high"), ("complexity", "high"), ("frame_count", 3), ("foo", 1),
     ("loras[][model]", "x"), ("partial_images", 2), ("mask", "x")],
)  # fmt: skip
def test_what_has_no_effect_is_told(field: str, value: Any) -> None:
    _, remarks = read({"prompt": "a", field: value})
    assert told(remarks) == [field]
    assert "value" not in remarks.notices[0].reason


def test_a_name_that_a_caller_made_up_is_shown_only_if_it_is_plain() -> None:
    _, remarks = read({"prompt": "a", "x" * 65: 1, "a\r\nSet-Cookie: b": 1})
    assert told(remarks) == ["?", "?"]


def test_a_stream_holds_its_pictures() -> None:
    found, remarks = read({"prompt": "a", "stream": True, "partial_images": 2, "response_format": "url"})
    assert (found.stream, found.partial_images, found.as_url) == (True, 2, False)
    assert (found.fields["previews"], told(remarks)) == (True, ["response_format"])


@pytest.mark.parametrize(
    ("body", "image"),
    [({"image": "A"}, "A"), ({"image": ["A"]}, "A"), ({"images": [{"image_url": "A"}]}, "A"), ({"image[]": ["A"]}, "A"),
     ({"image": {"image_url": {"url": "A"}}}, "A")],
)  # fmt: skip
def test_the_picture_to_edit_is_found_wherever_clients_put_it(body: dict[str, Any], image: str) -> None:
    assert edited(body, Remarks(strict=True)) == {"image": image}


def test_of_several_pictures_the_first_is_edited_with_a_warning() -> None:
    remarks = Remarks()
    assert edited({"image": ["A", "B"], "mask": "M"}, remarks) == {"image": "A", "mask": "M"}
    assert told(remarks) == ["image"]


@pytest.mark.parametrize(
    ("body", "field"),
    [({}, "image"), ({"image": []}, "image"), ({"image": ["A"] * 17}, "image"), ({"image": 3}, "image"),
     ({"image": ""}, "image"), ({"images": [{"file_id": "f"}]}, "images"), ({"image": "A", "mask": {}}, "mask"),
     ({"image": "A", "markup": "B"}, "markup")],
)  # fmt: skip
def test_pictures_that_are_none_are_refused(body: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidField) as refused:
        edited(body, Remarks())
    assert refused.value.field == field


def test_users_are_known_again_and_by_nobody_else() -> None:
    key, other = bytes(32), bytes([1]) * 32
    assert user_of({"user": "bob"}, key) == user_of({"safety_identifier": "bob", "user": "x"}, key)
    assert user_of({"user": "bob"}, key) != user_of({"user": "bob"}, other)
    assert "bob" not in str(user_of({"user": "bob"}, key))
    assert user_of({"user": "", "safety_identifier": None}, key) == {}
    for field in ("user", "safety_identifier"):
        with pytest.raises(InvalidField):
            user_of({field: ["bob"]}, key)


WILD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
NAMES = st.sampled_from(
    ["prompt", "model", "n", "size", "quality", "response_format", "output_format", "output_compression", "background",
     "stream", "partial_images", "user", "style", "seed", "steps", "num_inference_steps", "cfg_scale", "strength",
     "scheduler", "loras", "controlnets", "refiner", "vae", "clip_skip", "webhook", "darkroom", "metadata", "hires",
     "image", "images", "mask", "expand", "deadline"]
)  # fmt: skip
SAID = st.sampled_from(
    ["a", "auto", "128x128", "tiny", "dall-e-3", "low", "png", "url", 1, 7, -1, True, 2.5, {}, [], None]
)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(NAMES | st.text(max_size=6), SAID | WILD, max_size=8), st.booleans())
def test_any_body_is_a_request_or_a_refusal_that_names_one_of_its_fields(body: dict[str, Any], strict: bool) -> None:
    try:
        found, _ = read(body, strict=strict)
        pictures = edited(body, Remarks()) if "image" in body or "images" in body else {}
        requested({**found.fields, **pictures}, found.names)
        refused = []
    except RequestValidationError as error:
        refused = [str(finding["loc"][1]).partition(".")[0] for finding in error.errors()]
    except InvalidField as error:
        refused = [error.field]
    assert set(refused) <= {*body, "prompt", "image", "size", "quality", "task", "?"}
