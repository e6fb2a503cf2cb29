import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from api.app import create_app
from darkroom.catalog import Catalog, Unavailable
from darkroom.errors import MissingWeights
from darkroom.errors.explained import explained
from darkroom.services import Services
from tests.fakes import fake_services
from tests.gateway import API_KEYS, client_of

OPEN = {"/livez", "/readyz", "/c2pa/v1/services/supportedAlgorithms", "/api/v1/pictures/{name}"}


@pytest.fixture(scope="module")
def document() -> Any:
    async def asked() -> Any:
        async with client_of(fake_services()) as client:
            return (await client.get("/openapi.json")).json()

    return asyncio.run(asked())


def operations(document: Any) -> list[tuple[str, str, Any]]:
    return [(path, method, op) for path, ops in document["paths"].items() for method, op in ops.items()]


async def test_it_is_openapi_3_1_with_an_id_and_words_for_each_operation(document: Any) -> None:
    assert document["openapi"].startswith("3.1")
    ids = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(set(ids)) == len(ids)
    assert all(operation["description"] for _, _, operation in operations(document))


async def test_every_reference_leads_somewhere(document: Any) -> None:
    schemas = document["components"]["schemas"]
    named = {part.split('"')[0] for part in json.dumps(document).split("#/components/schemas/")[1:]}
    assert named <= set(schemas)
    assert "HTTPValidationError" not in schemas


async def test_every_refusal_is_a_problem_with_a_documented_code(document: Any) -> None:
    codes = {error.code for error in explained()}
    for path, method, operation in operations(document):
        for status, response in operation["responses"].items():
            if int(status) >= 400:
                (media_type,) = response["content"]
                assert media_type == "application/problem+json", (path, method, status)
                assert set(response["content"][media_type].get("examples", ())) <= codes


def test_everything_but_what_anybody_may_know_asks_for_a_key() -> None:
    keyed = create_app(fake_services(allow_anonymous=False, api_keys=API_KEYS)).openapi()
    without = {path for path, _, operation in operations(keyed) if operation.get("security") != [{"key": []}]}
    assert without == OPEN


async def test_where_no_key_is_needed_it_says_so(document: Any) -> None:
    for path, _, operation in operations(document):
        assert path in OPEN or {} in operation["security"]
        assert {"400", "403"} <= set(operation["responses"])


async def test_the_request_is_described_with_the_models_there_are(services: Services, document: Any) -> None:
    schemas = document["components"]["schemas"]
    tasks = [option["$ref"].rpartition("/")[2] for option in schemas["GenerationRequest"]["oneOf"]]
    assert tasks == ["TextToImage", "ImageToImage", "Inpaint", "Outpaint"]
    (spec,) = services.catalog.specs()
    for task in tasks:
        assert {"type": "string", "enum": [spec.name]} in schemas[task]["properties"]["model"]["anyOf"]
    fields = schemas["Inpaint"]["properties"]
    (width,) = [option for option in fields["width"]["anyOf"] if option["type"] == "integer"]
    assert (width["minimum"], width["maximum"], width["multipleOf"]) == (
        spec.min_size,
        spec.max_size,
        spec.size_multiple,
    )


def test_a_service_whose_models_are_all_broken_still_describes_itself() -> None:
    broken = Unavailable("tiny", MissingWeights("unet", "the file is missing"))
    services = replace(fake_services(), catalog=Catalog((), (broken,), default="tiny"))
    assert create_app(services).openapi()["paths"]


@pytest.mark.parametrize(("public", "server"), [(None, "/"), ("https://pictures.example", "https://pictures.example")])
def test_it_says_where_the_service_is(public: str | None, server: str) -> None:
    (described,) = create_app(fake_services(public_url=public)).openapi()["servers"]
    assert described["url"] == server


async def test_every_tag_is_described_once_and_used(document: Any) -> None:
    described = [tag["name"] for tag in document["tags"]]
    used = {tag for _, _, operation in operations(document) for tag in operation["tags"]}
    assert sorted(described) == sorted(used)
