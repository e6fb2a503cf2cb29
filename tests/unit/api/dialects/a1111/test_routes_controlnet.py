"""The ControlNet extension's paths: maps are made as the native API makes them, and waited for."""

import asyncio
import base64

import httpx
import pytest

from darkroom.contract.job import Failure, JobState
from darkroom.inputs.normal import normalise
from darkroom.ledger.protocol import Outcome
from darkroom.services import Services
from tests.fakes import fake_services
from tests.gateway import client_of
from tests.unit.api.test_preprocess import claimed, make_one
from tests.unit.inputs.files import saved, scene

DETECT = "/controlnet/detect"
PICTURE = base64.b64encode(saved(scene())).decode()
CANNY = {"controlnet_module": "canny", "controlnet_images": [f"data:image/png;base64,{PICTURE}"]}


@pytest.fixture
def made() -> str:
    """The map that the worker's part in these tests makes of every picture."""
    return base64.b64encode(normalise(saved(scene()[::-1])).png).decode()


async def test_a_map_is_made_and_answered_in_base64(client: httpx.AsyncClient, services: Services, made: str) -> None:
    answer, _ = await asyncio.gather(client.post(DETECT, json=CANNY), make_one(services))
    assert (answer.status_code, answer.json()) == (200, {"images": [made], "info": "Success"})


async def test_the_same_map_is_not_made_twice(client: httpx.AsyncClient, services: Services, made: str) -> None:
    await asyncio.gather(client.post(DETECT, json=CANNY), make_one(services))
    again = await client.post(DETECT, json={"controlnet_module": "canny", "controlnet_input_images": [PICTURE] * 2})
    assert again.json()["images"] == [made, made]
    assert await services.ledger.waiting() == {}


async def test_no_module_gives_the_picture_back_as_it_is_read(client: httpx.AsyncClient, services: Services) -> None:
    answer = await client.post(DETECT, json={"controlnet_input_images": [PICTURE]})
    assert answer.json()["images"] == [base64.b64encode(normalise(saved(scene())).png).decode()]
    assert await services.ledger.waiting() == {}


async def test_a_map_that_could_not_be_made_is_an_error(client: httpx.AsyncClient, services: Services) -> None:
    async def fail() -> None:
        claim = await claimed(services)
        failure = Failure(code="preprocessor_failed", message="nobody is in the picture", retryable=False)
        await services.ledger.finish(claim.job_id, claim.attempt, Outcome(state=JobState.FAILED, failure=failure))

    answer, _ = await asyncio.gather(client.post(DETECT, json=CANNY), fail())
    assert answer.status_code >= 400
    assert answer.json()["error"] == "preprocessor_failed"
    assert answer.json()["detail"] == "nobody is in the picture"


async def test_a_map_that_takes_too_long_goes_on(made: str) -> None:
    services = fake_services(compat_wait=0.05)
    async with client_of(services) as client:
        answer = await client.post(DETECT, json=CANNY)
        assert (answer.status_code, answer.json()["error"]) == (504, "wait_timed_out")
        await make_one(services)
        assert (await client.post(DETECT, json=CANNY)).json()["images"] == [made]


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({"controlnet_module": "depth_midas"}, "controlnet_module: maps of type depth need weights"),
        ({"controlnet_images": ["!"]}, "controlnet_images.0: neither base64"),
        ({"controlnet_images": [PICTURE, "aGk="]}, "controlnet_images.1: "),
        ({"controlnet_module": "none", "controlnet_images": ["aGk="]}, "controlnet_images.0: "),
        ({"controlnet_images": ["ftp://a.test/b.png"]}, "controlnet_images.0: "),
        ({"controlnet_images": None}, "controlnet_input_images: No image selected"),
    ],
)
async def test_a_refusal_names_the_field_of_the_dialect(
    client: httpx.AsyncClient, body: dict[str, object], detail: str
) -> None:
    answer = await client.post(DETECT, json={**CANNY, **body})
    assert (answer.status_code, answer.json()["detail"][: len(detail)]) == (422, detail)


async def test_what_has_no_effect_is_told_in_a_header(client: httpx.AsyncClient) -> None:
    body = {"controlnet_input_images": [PICTURE], "controlnet_threshold_a": 7}
    answer = await client.post(DETECT, json=body)
    assert answer.headers["darkroom-warning"].startswith("field=controlnet_threshold_a; reason=has no effect here")


async def test_the_extension_tells_its_version_its_units_and_its_lists(client: httpx.AsyncClient) -> None:
    told = {name: (await client.get(f"/controlnet/{name}")).json() for name in ("version", "settings", "model_list")}
    assert told == {
        "version": {"version": 3},
        "settings": {"control_net_unit_count": 4},
        "model_list": {"model_list": []},
    }
    listed = (await client.get("/controlnet/module_list?alias_names=True")).json()
    assert listed["module_list"] == list(listed["module_detail"])
    assert "All" in (await client.get("/controlnet/control_types")).json()["control_types"]
