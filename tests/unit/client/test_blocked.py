"""What was flagged is an error of its own, wherever it was."""

import httpx
import pytest

from darkroom.client import BadRequest, Blocked, NotMade, PromptBlocked
from tests.unit.client.playing import ID, Talk, document


@pytest.fixture(params=["sync", "async"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def blocked(request: httpx.Request) -> httpx.Response:
    """A gateway whose one generation was."""
    if request.url.path.endswith("/events"):
        event = '{"id": "1-0", "job_id": "' + ID + '", "name": "blocked", "at": 1.0, "data": {}}'
        return httpx.Response(200, text=f"id: 1-0\nevent: blocked\ndata: {event}\n\n")
    return httpx.Response(200, json=document("blocked"))


def refused(request: httpx.Request) -> httpx.Response:
    """A gateway that refuses words."""
    detail = "prompt was flagged: sexual 0.93 (threshold 0.80)"
    return httpx.Response(400, json={"code": "blocked", "detail": detail, "status": 400, "retryable": False})


def test_of_pictures_it_has_the_record(kind: str) -> None:
    with pytest.raises(Blocked, match="the generation was blocked") as raised:
        Talk(kind, blocked)("wait", ID)
    assert raised.value.generation is not None
    assert raised.value.code == "blocked"
    assert isinstance(raised.value, NotMade)


def test_of_words_it_has_the_reason(kind: str) -> None:
    with pytest.raises(PromptBlocked, match="prompt was flagged: sexual") as raised:
        Talk(kind, refused)("submit", "a red circle")
    assert isinstance(raised.value, BadRequest)
    assert (raised.value.status, raised.value.retryable) == (400, False)
