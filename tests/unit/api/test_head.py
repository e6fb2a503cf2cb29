import httpx
import pytest

import darkroom
from darkroom.services import Services
from tests.gateway import GENERATIONS, ask, finish_one, problem_in


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/", "/openapi.json", "/api/v1/models", "/nowhere"])
async def test_head_is_get_without_the_body(client: httpx.AsyncClient, path: str) -> None:
    got, head = await client.get(path), await client.head(path)
    assert (head.status_code, head.content) == (got.status_code, b"")
    changing = {"x-request-id"}
    assert {name: head.headers[name] for name in head.headers if name not in changing} == {
        name: got.headers[name] for name in got.headers if name not in changing
    }


async def test_a_picture_can_be_asked_about_without_being_fetched(
    services: Services, client: httpx.AsyncClient
) -> None:
    job = await ask(client)
    await finish_one(services)
    url = f"{GENERATIONS}/{job['id']}/images/0"
    head = await client.head(url)
    assert (head.status_code, head.content) == (200, b"")
    assert int(head.headers["Content-Length"]) == len((await client.get(url)).content)
    assert (await client.head(url, headers={"If-None-Match": "*"})).status_code == 304


async def test_an_event_stream_has_no_head(client: httpx.AsyncClient) -> None:
    answer = await client.head((await ask(client))["links"]["events"])
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET")


async def test_a_path_that_answers_get_names_head_too(client: httpx.AsyncClient) -> None:
    answer = await client.post("/livez")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD")
    assert problem_in(answer)["code"] == "method_not_allowed"


async def test_the_bare_address_points_the_way(client: httpx.AsyncClient) -> None:
    told = (await client.get("/")).json()
    assert (told["name"], told["version"]) == ("darkroom", darkroom.__version__)
    for link in told["links"].values():
        assert (await client.get(link)).status_code == 200
