"""Ids that come from others lead nowhere but to what has that id."""

from typing import NoReturn

import httpx
import pytest

from darkroom.client import ClientError
from tests.unit.client.playing import Talk


def asked(request: httpx.Request) -> NoReturn:
    raise AssertionError(request.url)


@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize("name", ["", "..", "../models", "a/b", "a?b", "a#b", "%2e%2e", "a\n"])
@pytest.mark.parametrize(
    "call", ["get", "cancel", "rerun", "image", "preview", "events", "asset", "delivery", "replay"]
)
def test_an_id_is_never_a_path(kind: str, call: str, name: str) -> None:
    with pytest.raises(ClientError) as caught:
        Talk(kind, asked)(call, name)
    assert caught.value.code == "invalid_id"
