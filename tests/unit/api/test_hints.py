"""Refusals that say what was probably meant."""

from typing import Any

import httpx
import pytest
from pydantic import TypeAdapter

from api import unknown_fields
from api.problems import MOST_FIELDS
from darkroom.contract.generation import GenerationRequest
from darkroom.errors.near import MOST_COMPARED, MOST_TOLD, listed, unknown
from tests.gateway import GENERATIONS, problem_in

WANTED = {"prompt": "a red circle"}
PICTURE = "iVBORw0KGgo="


async def refused(client: httpx.AsyncClient, **fields: Any) -> dict[str, Any]:
    answer = await client.post(GENERATIONS, json={**WANTED, **fields})
    assert answer.status_code == 422, answer.text
    return problem_in(answer)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("cfg_scale", "guidance_scale"),
        ("sampler", "scheduler"),
        ("sampler_name", "scheduler"),
        ("num_images", "n"),
        ("batch_size", "n"),
        ("num_inference_steps", "steps"),
        ("Negative_Prompt", "negative_prompt"),
        ("size", "width` and `height"),
        ("webhook", "webhook_url"),
        ("sheduler", "scheduler"),
    ],
)
async def test_a_field_of_another_name_is_told_ours(client: httpx.AsyncClient, theirs: str, ours: str) -> None:
    found = await refused(client, **{theirs: "x"})
    assert (found["code"], found["field"]) == ("invalid_field", theirs)
    assert f"did you mean `{ours}`?" in found["detail"]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        (
            {"loras": [{"model": "outline", "scale": 0.5}]},
            "loras.0.scale: there is no such field; did you mean `weight`?",
        ),
        ({"loras": [{"name": "outline"}]}, "did you mean `model`?"),
        ({"controlnets": [{"type": "canny", "image": PICTURE, "weight": 1}]}, "did you mean `scale`?"),
        ({"hires": {"scle": 2.0}}, "hires.scle: there is no such field; did you mean `scale`?"),
        ({"image": PICTURE, "expand": {"up": 8}}, "there is no such field; known: bottom, left, right, top"),
        ({"strength": 0.5}, "strength: only for image_to_image or inpaint or outpaint: needs `image`"),
        ({"image": PICTURE, "mask_blur": 3}, "only for inpaint or outpaint: needs `image` and `mask`"),
        ({"zzz": 1}, "zzz: there is no such field"),
    ],
)
async def test_a_field_is_looked_for_where_it_stands(
    client: httpx.AsyncClient, fields: dict[str, Any], words: str
) -> None:
    found = await refused(client, **fields)
    assert words in str([found["detail"], *(error["detail"] for error in found.get("errors", ()))])


def test_every_name_that_is_offered_is_one_of_ours() -> None:
    described = TypeAdapter(GenerationRequest).json_schema()
    ours = {name for schema in described["$defs"].values() for name in schema.get("properties", ())}
    assert {part for offered in unknown_fields._OTHERS_SAY for part in offered.split("` and `")} <= ours


def test_no_other_name_is_one_of_ours_at_the_same_place() -> None:
    asked = TypeAdapter(GenerationRequest)
    (text_to_image,) = [node for node in asked.json_schema()["$defs"].values() if node.get("title") == "TextToImage"]
    others = {name for names in unknown_fields._OTHERS_SAY.values() for name in names}
    assert others & set(text_to_image["properties"]) <= {"vae", "refiner"}


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"model": "stabilityai/sdxl"}, "model: no such name; known: tiny"),
        ({"scheduler": "Euler a"}, "euler_a"),
        ({"loras": [{"model": "Out Line"}]}, "loras.0.model: no such name; known: none"),
        ({"model": "tinny"}, "no model named 'tinny'; did you mean 'tiny'? known: tiny"),
        ({"model": "sdxl"}, "no model named 'sdxl'; known: tiny"),
        ({"scheduler": "dpmpp"}, "no scheduler named 'dpmpp'; did you mean 'dpmpp"),
        ({"vae": "soft"}, "no VAE named 'soft'; known: none"),
    ],
)
async def test_an_unknown_name_is_told_beside_those_there_are(
    client: httpx.AsyncClient, fields: dict[str, Any], words: str
) -> None:
    assert words in (await refused(client, **fields))["detail"]


@pytest.mark.parametrize(
    ("media_type", "words"),
    [
        (
            "application/x-www-form-urlencoded",
            "came as a form (application/x-www-form-urlencoded), as `curl -d` sends it",
        ),
        ("multipart/form-data; boundary=x", "as `curl -F` sends it"),
        ("", "came without a Content-Type"),
        ("text/plain", "came as text/plain"),
        ("<script>", "came under a Content-Type that is none"),
    ],
)
async def test_a_body_that_is_not_json_is_told_what_it_is_and_the_flag_to_type(
    client: httpx.AsyncClient, media_type: str, words: str
) -> None:
    answer = await client.post(GENERATIONS, content=b'{"prompt": "a"}', headers={"Content-Type": media_type})
    detail = problem_in(answer)["detail"]
    assert answer.status_code == 415
    assert words in detail
    assert "`curl --json DATA`, or the header `Content-Type: application/json`" in detail
    assert "<" not in detail


def test_a_long_list_of_names_is_cut() -> None:
    names = [f"style-{number:04}" for number in range(5000)]
    told = unknown("LoRA", "stile-0007", names)
    assert "did you mean 'style-0007'?" in told
    assert told.endswith(f"and {5000 - MOST_TOLD} more")
    assert told.count("style-") == MOST_TOLD + 1, "those, and the one that was meant"
    assert listed([]) == "none"


def test_only_so_many_names_are_compared() -> None:
    names = [f"style-{number:04}" for number in range(MOST_COMPARED)]
    assert "did you mean" not in unknown("LoRA", "watercolor", [*names, "watercolour"])
    assert "did you mean 'watercolour'?" in unknown("LoRA", "watercolor", ["watercolour", *names])


async def test_only_so_many_fields_are_compared(client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at: list[Any] = []
    monkeypatch.setattr(unknown_fields, "words", lambda asked, location: looked_at.append(location) or "")
    await refused(client, **{f"field{number}": 1 for number in range(500)})
    assert len(looked_at) == MOST_FIELDS
