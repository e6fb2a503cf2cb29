"""Generations of several stages over HTTP."""

import httpx
import pytest

from darkroom.services import Services
from tests.gateway import GENERATIONS, ask, finish_one, problem_in


async def test_hires_fix_is_settled_in_the_plan_and_the_receipt(services: Services, client: httpx.AsyncClient) -> None:
    job = await ask(client, steps=10, hires={"scale": 1.5})

    (stage,) = job["plan"]["later_stages"]
    first = job["plan"]["width"], job["plan"]["height"]
    assert (stage["width"], stage["height"]) == tuple(side * 1.5 for side in first)
    assert (stage["kind"], stage["upscaler"], stage["steps"], stage["computed_steps"]) == ("hires", "latent", 10, 7)

    receipt = (await finish_one(services)).receipt
    assert receipt is not None
    assert receipt.plan.later_stages[0].model_dump(mode="json") == stage


@pytest.mark.parametrize(
    ("hires", "field"),
    [
        ({"scale": 1}, "hires.scale"),
        ({"scale": 3.5}, "hires.scale"),
        ({"strength": 0.001}, "hires.strength"),
        ({"upscaler": "nearest"}, "hires.upscaler"),
        ({"size": 2}, "hires.size"),
        (2, "hires"),
    ],
)
async def test_what_cannot_be_enlarged_names_its_field(client: httpx.AsyncClient, hires: object, field: str) -> None:
    answer = await client.post(GENERATIONS, json={"prompt": "x", "hires": hires})

    assert answer.status_code == 422
    assert problem_in(answer)["field"] == field


async def test_only_words_are_enlarged(client: httpx.AsyncClient) -> None:
    answer = await client.post(GENERATIONS, json={"prompt": "x", "image": "x", "hires": {}})
    assert (answer.status_code, problem_in(answer)["field"]) == (422, "hires")


async def test_a_refiner_needs_a_base_of_stable_diffusion_xl(client: httpx.AsyncClient) -> None:
    answer = await client.post(GENERATIONS, json={"prompt": "x", "refiner": {"model": "tiny"}})
    assert (answer.status_code, problem_in(answer)["field"]) == (422, "refiner")
