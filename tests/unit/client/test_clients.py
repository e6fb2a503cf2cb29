"""Both clients over HTTP: the same calls, the same requests, the same answers."""

import asyncio
import hashlib
import inspect
import io
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from darkroom.client import AsyncClient, BadRequest, Client, ClientError, GatewayAway, NotMade, UnexpectedAnswer
from darkroom.client.flows import lookups
from darkroom.contract.document import Generation
from tests.integration.ledger.making import artifact
from tests.unit.client.playing import ID, URL, Handler, Talk, document, problem
from tests.until import until

PNG = b"\x89PNG not really"


@pytest.fixture(params=["sync", "async"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


class Seen:
    """Answers each request in turn, and keeps it."""

    def __init__(self, *answers: httpx.Response) -> None:
        self.requests: list[httpx.Request] = []
        self._answers = list(answers)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return self._answers.pop(0)

    @property
    def asked(self) -> list[str]:
        return [f"{request.method} {request.url.raw_path.decode()}" for request in self.requests]


def ok(body: Any) -> httpx.Response:
    return httpx.Response(200, json=body)


def test_the_two_clients_differ_in_nothing_but_how_they_wait() -> None:
    assert public(Client) == public(AsyncClient)


def public(kind: type) -> dict[str, str]:
    members = inspect.getmembers(kind, inspect.isfunction)
    signed = {name: str(inspect.signature(member)) for name, member in members if not name.startswith("_")}
    return {name: words.replace("AsyncIterator", "Iterator") for name, words in signed.items()}


def test_a_call_is_its_request_and_its_answer(kind: str) -> None:
    seen = Seen(ok(document("running")))
    found = Talk(kind, seen, api_key="dk_secret")("get", ID)
    assert isinstance(found, Generation)
    assert (found.id, found.state) == (ID, "running")
    assert seen.asked == [f"GET /api/v1/generations/{ID}"]
    assert seen.requests[0].headers["authorization"] == "Bearer dk_secret"
    assert seen.requests[0].headers["user-agent"].startswith("darkroom/")


def test_a_gateway_under_a_path_is_asked_there(kind: str) -> None:
    seen = Seen(ok(document()))
    Talk(kind, seen, url="https://host/pictures/")("cancel", ID)
    assert seen.asked == [f"DELETE /pictures/api/v1/generations/{ID}"]


def test_where_and_by_what_key_come_from_the_environment_when_they_are_left_out(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DARKROOM_URL", "http://elsewhere")
    monkeypatch.setenv("DARKROOM_API_KEY", " dk_from_environment\n")
    seen = Seen(ok(document()))
    Talk(kind, seen, url=None)("get", ID)
    assert seen.requests[0].url.host == "elsewhere"
    assert seen.requests[0].headers["authorization"] == "Bearer dk_from_environment"


@pytest.mark.parametrize("url", ["ftp://x", "nowhere", "http://", "http://x:y", "://"])
def test_what_is_no_url_is_refused_at_once(url: str) -> None:
    with pytest.raises(ClientError) as caught:
        Client(url)
    assert caught.value.code == "invalid_url"


@pytest.mark.parametrize("key", ["dk_\nX-Evil: 1", "dk_é"])
def test_a_key_that_is_none_is_refused_without_being_told(key: str) -> None:
    with pytest.raises(ClientError) as caught:
        Client(URL, key)
    assert caught.value.code == "invalid_key"
    assert key not in str(caught.value)


def test_a_key_is_not_taken_along_to_another_host(kind: str) -> None:
    moved = httpx.Response(307, headers={"Location": "https://store.example/picture?signed=1"})
    seen = Seen(moved, httpx.Response(200, content=PNG))
    assert Talk(kind, seen, api_key="dk_secret")("image", ID, 0) == PNG
    assert seen.requests[1].url.host == "store.example"
    assert "authorization" not in seen.requests[1].headers


@pytest.mark.parametrize(
    ("raised", "words"),
    [
        (httpx.ConnectError("refused"), "nothing answers at http://gateway: is `darkroom up` running?"),
        (httpx.ReadTimeout(""), "http://gateway: ReadTimeout"),
        (httpx.RemoteProtocolError("cut"), "http://gateway: cut"),
    ],
)
def test_a_failing_connection_is_an_error_of_ours(kind: str, raised: Exception, words: str) -> None:
    def fail(request: httpx.Request) -> httpx.Response:
        raise raised

    with pytest.raises(GatewayAway) as caught:
        Talk(kind, fail)("models")
    assert (str(caught.value), caught.value.retryable, caught.value.status) == (words, True, None)


def test_pictures_of_every_kind_are_sent_ahead_and_named(kind: str, tmp_path: Path) -> None:
    (tmp_path / "mask.png").write_bytes(PNG)
    drawn, png = Image.new("L", (2, 2), 255), io.BytesIO()
    drawn.save(png, "PNG")
    ids = [letter * 64 for letter in "abc"]
    kept = [httpx.Response(201, json={"id": each, "sha256": each, "width": 2, "height": 2}) for each in ids]
    seen = Seen(*kept, httpx.Response(202, json=document()))
    controls = [{"type": "canny", "image": b"\xff\xd8jpeg", "scale": 0.5}, {"type": "depth", "image": "d" * 64}]

    Talk(kind, seen)("submit", "x", image=drawn, mask=tmp_path / "mask.png", controlnets=controls, seed=7)

    sent = [(request.headers["content-type"], request.content) for request in seen.requests[:3]]
    assert sent == [("image/png", png.getvalue()), ("image/png", PNG), ("image/jpeg", b"\xff\xd8jpeg")]
    asked = json.loads(seen.requests[3].content)
    assert asked == {
        "prompt": "x",
        "image": ids[0],
        "mask": ids[1],
        "seed": 7,
        "controlnets": [
            {"type": "canny", "image": ids[2], "scale": 0.5},
            {"type": "depth", "image": "d" * 64},
        ],
    }
    assert controls[0]["image"] == b"\xff\xd8jpeg"  # what the caller gave is as it was


def test_a_list_asks_for_the_next_page_when_it_is_wanted(kind: str) -> None:
    first = {"generations": [document(), document("running")], "cursor": "C"}
    seen = Seen(ok(first), ok({"generations": [document("failed")], "cursor": None}))
    states = [each.state for each in Talk(kind, seen)("list", failure="attempts_exhausted")]
    assert states == ["queued", "running", "failed"]
    assert seen.asked == [
        "GET /api/v1/generations?limit=100&failure=attempts_exhausted",
        "GET /api/v1/generations?limit=100&failure=attempts_exhausted&cursor=C",
    ]


def test_whoever_wants_one_of_a_list_asks_for_one_page() -> None:
    seen = Seen(ok({"generations": [document(), document()], "cursor": "C"}))
    with Client(URL, transport=httpx.MockTransport(seen)) as client:
        assert next(iter(client.list())).id == ID
    assert len(seen.requests) == 1


def test_a_picture_must_be_the_one_of_its_record(kind: str) -> None:
    record = Generation.model_validate(document("succeeded"))
    with pytest.raises(UnexpectedAnswer, match=r"picture 0 of .* is not the one of its record"):
        Talk(kind, Seen(httpx.Response(200, content=b"others")))("image", record, 0)


def test_several_pictures_are_saved_under_numbers_and_whole(kind: str, tmp_path: Path) -> None:
    hashes = [hashlib.sha256(each).hexdigest() for each in (b"0", b"1")]
    made = tuple(artifact(i).model_copy(update={"sha256": hashes[i]}) for i in range(2))
    record = Generation.model_validate(document("succeeded", artifacts=made))
    seen = Seen(httpx.Response(200, content=b"0"), httpx.Response(200, content=b"1"))
    paths = Talk(kind, seen)("save", record, tmp_path / "cat.png")
    assert [(path.name, path.read_bytes()) for path in paths] == [("cat-0.png", b"0"), ("cat-1.png", b"1")]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cat-0.png", "cat-1.png"]


def test_what_cannot_be_saved_leaves_nothing_behind(kind: str, tmp_path: Path) -> None:
    (tmp_path / "cat.png").mkdir()
    with pytest.raises(OSError, match=r"cat\.png"):
        Talk(kind, Seen(httpx.Response(200, content=b"")))("save", with_empty_picture(), tmp_path / "cat.png")
    assert [path.name for path in tmp_path.iterdir()] == ["cat.png"]


def with_empty_picture() -> Generation:
    empty = artifact(0).model_copy(
        update={"sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}
    )
    return Generation.model_validate(document("succeeded", artifacts=(empty,)))


def streaming(*, then: str) -> Handler:
    """A gateway whose one generation runs, and ends as `then`."""

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/events"):
            event = {"id": "1-0", "job_id": ID, "name": then, "at": 1.0, "data": {}}
            return httpx.Response(200, text=f"id: 1-0\nevent: {then}\ndata: {json.dumps(event)}\n\n")
        return ok(document("queued" if request.method == "POST" else then))

    return answer


def test_generate_waits_for_the_end_and_tells_what_happens(kind: str) -> None:
    told: list[Any] = []
    made = Talk(kind, streaming(then="succeeded"))("generate", "a red circle", seed=7, on_event=told.append)
    assert made.state == "succeeded"
    assert [getattr(each, "name", each.id) for each in told] == [ID, "succeeded"]


def test_wait_ends_with_an_error_where_there_is_no_picture(kind: str) -> None:
    with pytest.raises(NotMade, match="the generation expired"):
        Talk(kind, streaming(then="expired"))("wait", ID)


def test_events_are_told_one_by_one(kind: str) -> None:
    assert [event.name for event in Talk(kind, streaming(then="expired"))("events", ID)] == ["expired"]


def test_a_stream_is_given_back_when_its_listener_has_enough() -> None:
    closed: list[bool] = []

    class Endless(httpx.SyncByteStream):
        def __iter__(self) -> Any:
            event = json.dumps({"id": "1-0", "job_id": ID, "name": "running", "at": 1.0, "data": {}})
            while True:
                yield f"id: 1-0\nevent: running\ndata: {event}\n\n".encode()

        def close(self) -> None:
            closed.append(True)

    with Client(URL, transport=httpx.MockTransport(lambda _: httpx.Response(200, stream=Endless()))) as client:
        listening = client.events(ID)
        assert next(listening).name == "running"
        del listening
    assert closed == [True]


async def test_a_canceled_task_cancels_its_generation() -> None:
    seen: list[str] = []

    class Silent(httpx.AsyncByteStream):
        async def __aiter__(self) -> Any:
            await asyncio.sleep(60)
            yield b""

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request.method)
        if request.url.path.endswith("/events"):
            return httpx.Response(200, stream=Silent())
        return ok(document())

    async with AsyncClient(URL, transport=httpx.MockTransport(handler)) as client:
        generating = asyncio.create_task(client.generate("x"))
        await until(lambda: "GET" in seen)
        generating.cancel()
        with pytest.raises(asyncio.CancelledError):
            await generating
    assert seen == ["POST", "GET", "DELETE"]


def test_a_map_is_waited_for(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookups, "LOOK_SECONDS", 0.0)
    waiting = {"id": "J", "state": "running", "type": "canny", "map": None, "failure": None}
    made = {"id": "m" * 64, "sha256": "m" * 64, "width": 1, "height": 1}
    seen = Seen(httpx.Response(202, json=waiting), ok(waiting), ok({**waiting, "state": "succeeded", "map": made}))
    assert Talk(kind, seen)("preprocess", "canny", "p" * 64).id == "m" * 64
    assert seen.asked == ["POST /api/v1/preprocess", "GET /api/v1/preprocess/J", "GET /api/v1/preprocess/J"]
    failed = {**waiting, "state": "failed", "failure": {"code": "lost_input", "message": "gone", "retryable": False}}
    with pytest.raises(NotMade, match="gone") as caught:
        Talk(kind, Seen(ok(failed)))("preprocess", "canny", "p" * 64)
    assert caught.value.code == "lost_input"


def test_bytes_are_verified_as_bytes_and_urls_by_the_gateway(kind: str) -> None:
    seen = Seen(*[ok({"state": "no_evidence", "text": "Nothing."})] * 2)
    talk = Talk(kind, seen)
    assert talk("verify", PNG).state == talk("verify", "https://x/y.png").state == "no_evidence"
    assert seen.requests[0].content == PNG
    assert json.loads(seen.requests[1].content) == {"url": "https://x/y.png"}


def test_a_refusal_is_raised_by_both(kind: str) -> None:
    with pytest.raises(BadRequest) as caught:
        Talk(kind, Seen(httpx.Response(422, json=problem(422, "unknown_model", field="model"))))("submit", "x")
    assert (caught.value.code, caught.value.field) == ("unknown_model", "model")
