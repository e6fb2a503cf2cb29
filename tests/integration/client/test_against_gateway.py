"""The client against the real gateway over a socket, and over a line that is cut when it hurts most."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress

import pytest
from PIL import Image

from darkroom.client import BadRequest, Client, GatewayAway, NotAllowed, NotFound
from darkroom.services import Services
from tests.fakes import fake_services
from tests.gateway import API_KEYS, KEYS, served

pytestmark = pytest.mark.slow

HEAD_END = b"\r\n\r\n"


@pytest.fixture(scope="module")
def address() -> Iterator[tuple[str, int]]:
    with served(fake_services()) as address:
        yield address


@pytest.fixture
def client(address: tuple[str, int]) -> Iterator[Client]:
    with Client(f"http://{address[0]}:{address[1]}", retries=1) as client:
        yield client


@contextmanager
def cutting(address: tuple[str, int], cuts: int) -> Iterator[tuple[str, list[bytes]]]:
    """A line to `address` that lets every request through, and hangs up on the first `cuts` answers: all is done by
    then, and nobody has heard of it. Yields its URL, and the answers that got lost."""
    lost: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=_relay, args=(listening, address, cuts, lost))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}", lost
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join(10)
            assert not thread.is_alive()


def _relay(listening: socket.socket, address: tuple[str, int], cuts: int, lost: list[bytes]) -> None:
    """One exchange a connection."""
    while True:
        try:
            near, _ = listening.accept()
        except OSError:
            return
        with closing(near), socket.create_connection(address) as far, suppress(OSError):
            far.sendall(_whole_request(near))
            answer = b"".join(iter(lambda far=far: far.recv(65536), b""))
            if len(lost) < cuts:
                lost.append(answer)
            else:
                near.sendall(answer)


def _whole_request(near: socket.socket) -> bytes:
    """Has it closed after its answer, so that the next one comes to us, too."""
    data = b""
    while HEAD_END not in data:
        data += near.recv(65536)
    head, _, body = data.partition(HEAD_END)
    length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    while len(body) < length:
        body += near.recv(65536)
    return head.replace(b"keep-alive", b"close") + HEAD_END + body


def test_an_answer_that_gets_lost_makes_no_second_generation() -> None:
    services: Services = fake_services()
    with served(services) as address, cutting(address, cuts=2) as (url, lost), Client(url, retries=3) as client:
        first = client.submit("a red circle", seed=7)
        assert len(lost) == 2
        assert all(answer.startswith(b"HTTP/1.1 202") for answer in lost)
        with Client(f"http://{address[0]}:{address[1]}") as direct:
            assert [each.id for each in direct.list()] == [first.id]


def test_a_rerun_whose_answer_gets_lost_is_made_once() -> None:
    with served(fake_services()) as address, Client(f"http://{address[0]}:{address[1]}") as direct:
        first = direct.submit("a red circle", seed=7)
        with cutting(address, cuts=1) as (url, lost), Client(url, retries=1) as client:
            again = client.rerun(first.id)
            assert len(lost) == 1
        assert [each.id for each in direct.list()] == [again.id, first.id]


def test_an_answer_that_always_gets_lost_is_told() -> None:
    with served(fake_services()) as address, cutting(address, cuts=9) as (url, lost), Client(url, retries=1) as client:
        with pytest.raises(GatewayAway):
            client.submit("a red circle")
        assert len(lost) == 2


def test_everything_that_can_be_asked_for_is_told(client: Client) -> None:
    models = client.models()
    assert (models.default, [model.name for model in models.models]) == ("tiny", ["tiny"])
    assert "ddim" in [each.name for each in client.schedulers().schedulers]
    assert client.loras().loras == client.vaes().vaes == client.controlnets().controlnets == []
    assert client.embeddings().embeddings == []
    assert "canny" in [each.type for each in client.preprocessors().preprocessors]
    assert client.capabilities().limits.max_images >= 1
    assert client.unserved() == ["tiny"]


def test_a_generation_is_asked_for_looked_at_listed_and_canceled(client: Client) -> None:
    asked = client.submit("a red circle", n=2, seed=7, metadata={"of": "a test"})
    assert asked.queue
    assert client.get(asked.id).plan.seeds == (7, 8)
    assert asked.id in [each.id for each in client.list()]
    assert client.cancel(asked.id).state == "canceled"
    assert [event.name for event in client.events(asked.id)] == ["queued", "canceled"]
    (*_, last) = client.events(asked.id)
    assert list(client.events(asked.id, after=last.id)) == []


def test_a_picture_is_kept_and_had_back(client: Client) -> None:
    drawn = Image.new("RGB", (128, 128), "red")
    kept = client.upload(drawn)
    assert (kept.width, client.asset(kept.id)[:4]) == (128, b"\x89PNG")
    assert client.verify(client.asset(kept.id)).state == "no_evidence"
    assert client.submit("x", image=drawn, strength=0.5).plan.start.kind == "image"


def test_webhooks_have_nothing_to_tell_yet(client: Client) -> None:
    assert list(client.deliveries(state=["dead"])) == []
    assert client.replay_all() == 0
    assert client.endpoints().disabled == []
    with pytest.raises(NotFound):
        client.enable("https://hooks.example/x")


def test_what_is_wrong_is_told_with_its_field(client: Client) -> None:
    with pytest.raises(BadRequest) as caught:
        client.submit("x", steps=1000)
    assert (caught.value.code, caught.value.field) == ("invalid_field", "steps")
    with pytest.raises(BadRequest, match="tiny"):
        client.submit("x", model="nobodys")


def test_keys_are_asked_for() -> None:
    services = fake_services(api_keys=API_KEYS, allow_anonymous=False)
    with served(services) as (host, port):
        with Client(f"http://{host}:{port}") as nobody, pytest.raises(NotAllowed):
            nobody.models()
        with Client(f"http://{host}:{port}", KEYS["alice"]) as alice:
            assert alice.models().default == "tiny"
