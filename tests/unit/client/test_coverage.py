"""The client can ask for all that the API has, but for what is named here."""

import re
from typing import Any

import httpx
import pytest

from api.app import create_app
from darkroom.client import Client, ClientError
from tests.fakes import fake_services
from tests.unit.client.playing import ID, URL

ASSET = "ab" * 32
CALLS: dict[str, tuple[Any, ...]] = {
    "submit": ("x",),
    "get": (ID,),
    "list": (),
    "cancel": (ID,),
    "rerun": (ID,),
    "events": (ID,),
    "image": (ID, 0),
    "preview": (ID, 0),
    "upload": (b"\x89PNG",),
    "asset": (ASSET,),
    "preprocess": ("canny", ASSET),
    "verify": (b"\x89PNG",),
    **dict.fromkeys(("models", "loras", "vaes", "controlnets", "embeddings", "schedulers"), ()),
    **dict.fromkeys(("preprocessors", "capabilities", "unserved", "deliveries", "endpoints", "replay_all"), ()),
    "delivery": ("msg_1",),
    "replay": ("msg_1",),
    "enable": ("https://hooks.example",),
}
# Made of others, or nothing that is asked of a gateway.
COMPOSED = {"generate", "wait", "save", "close"}
# For machines that watch services, for other protocols, with links of their own, or part of a call that is made.
LEFT_OUT = re.compile(r"/livez|/metrics|/c2pa/|/api/v1/(preprocess/|pictures/)")


def test_every_method_is_among_the_calls() -> None:
    methods = {name for name in vars(Client) if not name.startswith("_")}
    assert methods - COMPOSED == set(CALLS)


@pytest.fixture(scope="module")
def operations() -> set[tuple[str, str]]:
    paths = create_app(fake_services()).openapi()["paths"]
    return {(method.upper(), path) for path, item in paths.items() for method in item if not LEFT_OUT.match(path)}


def asked_for() -> set[tuple[str, str]]:
    """What all calls together ask for; they are told that there is none of it."""
    seen: set[tuple[str, str]] = set()

    def nothing(request: httpx.Request) -> httpx.Response:
        seen.add((request.method, request.url.path))
        return httpx.Response(404)

    with Client(URL, retries=0, transport=httpx.MockTransport(nothing)) as client:
        for name, arguments in CALLS.items():
            with pytest.raises(ClientError):
                list(getattr(client, name)(*arguments))
    return seen


def test_the_client_asks_for_all_that_the_api_has(operations: set[tuple[str, str]]) -> None:
    asked = asked_for()
    missed = {
        (method, path)
        for method, path in operations
        if not any(method == other and re.fullmatch(re.sub(r"{\w+}", "[^/]+", path), place) for other, place in asked)
    }
    assert missed == set()
