"""Errors as clients of A1111 read them."""

import json
from typing import Any

import pytest
from starlette.responses import Response

from api.dialects.a1111.shape import name_of, shape
from api.errors import invalid_fields
from api.problems import problem, problem_of
from darkroom.errors import InvalidField, QueueFull, UnknownScheduler
from tests.fakes import fake_services
from tests.gateway import client_of


def body_of(answer: Response) -> Any:
    return json.loads(bytes(answer.body))


def test_an_unknown_sampler_is_told_as_the_original_does() -> None:
    answer = shape(problem_of(UnknownScheduler("sampler_name", "no sampler 'x'; known: Euler")), {})
    assert answer.status_code == 404
    assert body_of(answer) == {
        "error": "unknown_scheduler",
        "detail": "Sampler not found",
        "body": "",
        "errors": "no sampler 'x'; known: Euler",
        "code": "unknown_scheduler",
    }


def test_a_wrong_field_has_the_name_that_the_caller_knows_it_by() -> None:
    answer = shape(problem_of(InvalidField("guidance_scale", "must be at most 100")), {})
    assert answer.status_code == 422
    assert body_of(answer)["detail"] == "cfg_scale: must be at most 100"


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("hires.scale", "hr_scale"),
        ("hires.strength", "denoising_strength"),
        ("hires.steps", "hr_second_pass_steps"),
        ("refiner.model", "refiner_checkpoint"),
        ("refiner.switch_at", "refiner_switch_at"),
        ("loras.0.weight", "prompt"),
        ("controlnets.1.scale", "alwayson_scripts.ControlNet.args.1.weight"),
        ("controlnets.1.end", "alwayson_scripts.ControlNet.args.1.guidance_end"),
        ("controlnets.1.image", "alwayson_scripts.ControlNet.args.1.image"),
        ("controlnets", "alwayson_scripts.ControlNet.args"),
        ("width", "width"),
    ],
)
def test_a_member_of_an_object_of_ours_has_the_name_that_the_caller_wrote(ours: str, theirs: str) -> None:
    assert name_of(ours) == theirs


def test_several_wrong_fields_are_all_told() -> None:
    wrong = [{"loc": ("body", name), "msg": "is wrong", "type": "x"} for name in ("steps", "width")]
    assert body_of(shape(invalid_fields(wrong), {}))["detail"] == "steps: is wrong; width: is wrong"


def test_headers_go_along() -> None:
    answer = shape(problem_of(QueueFull("too many wait")), {"Retry-After": "7"})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "7")


@pytest.mark.parametrize("path", ["/sdapi/v1/no-such-path", "/controlnet/no-such-path"])
async def test_a_path_that_is_not_there_has_the_shape_too(path: str) -> None:
    async with client_of(fake_services()) as client:
        answer = await client.get(path)
    assert answer.status_code == 404
    assert answer.json()["detail"] == "no such path"


def test_a_field_in_front_is_not_told_twice() -> None:
    described = problem("invalid_field", 422, "hires.steps: must be at least 1").model_copy(
        update={"field": "hires.steps"}
    )
    told = body_of(shape(described, {}))
    assert (told["detail"], told["errors"]) == ("hr_second_pass_steps: must be at least 1", "must be at least 1")
