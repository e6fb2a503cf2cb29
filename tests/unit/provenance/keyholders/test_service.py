"""A service that signs, or does not."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest

from darkroom.errors import ConfigurationError, SigningUnavailable
from darkroom.provenance.keyholders.answers import MOST_BYTES
from darkroom.provenance.keyholders.service import SigningService
from tests.servers.posts import Answer, served


@pytest.fixture
def closing() -> Iterator[list[SigningService]]:
    made: list[SigningService] = []
    yield made
    for service in made:
        service.close()


def asked(closing: list[SigningService], url: str, seconds: float = 5.0, token: str | None = None) -> bytes:
    service = SigningService(url, seconds, token)
    closing.append(service)
    service.check()
    return service.sign(b"a claim")


def test_bytes_go_there_and_the_signature_comes_back(closing: list[SigningService]) -> None:
    with served(lambda body: (200, b"signed " + body)) as service:
        assert asked(closing, service.url, token="s3cret") == b"signed a claim"
    (headers,) = service.headers
    assert headers["authorization"] == "Bearer s3cret"
    assert headers["content-type"] == "application/octet-stream"


def test_without_a_token_none_is_sent(closing: list[SigningService]) -> None:
    with served(lambda _: (200, b"signed")) as service:
        asked(closing, service.url)
    assert "authorization" not in service.headers[0]


WRONG: dict[str, tuple[Answer, str]] = {
    "refusal": (lambda _: (403, b"no"), "status 403"),
    "redirect": (lambda _: (307, b""), "status 307"),
    "fault": (lambda _: (500, b""), "status 500"),
    "flood": (lambda _: (200, bytes(MOST_BYTES + 1)), "more than 4096 bytes"),
}


@pytest.mark.parametrize("how", WRONG)
def test_what_is_no_answer_is_said(closing: list[SigningService], how: str) -> None:
    answer, why = WRONG[how]
    with served(answer) as service, pytest.raises(SigningUnavailable, match=why):
        asked(closing, service.url)


def test_a_service_that_hangs_is_given_up(closing: list[SigningService]) -> None:
    with served(lambda _: (200, b"late"), hold=Event()) as service:
        began = time.monotonic()
        with pytest.raises(SigningUnavailable, match=r"no answer within 0\.2 s"):
            asked(closing, service.url, seconds=0.2)
        assert time.monotonic() - began < 10


def test_a_service_that_answers_a_byte_at_a_time_is_given_up(closing: list[SigningService]) -> None:
    with served(lambda _: (200, b"signed slowly " * 9), drip=0.05) as service:
        began = time.monotonic()
        with pytest.raises(SigningUnavailable, match="no answer within"):
            asked(closing, service.url, seconds=0.3)
        assert time.monotonic() - began < 10


def test_a_service_that_is_not_there_is_said_without_its_address(closing: list[SigningService]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(SigningUnavailable, match="no connection") as raised:
        asked(closing, f"http://127.0.0.1:{port}/secret-path")
    assert "secret-path" not in raised.value.detail


def test_proxies_of_the_environment_never_see_it(
    closing: list[SigningService], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    with served(lambda _: (200, b"signed")) as service:
        assert asked(closing, service.url) == b"signed"


def test_plain_http_to_another_machine_is_refused_at_start() -> None:
    with pytest.raises(ConfigurationError, match="must be https"):
        SigningService("http://signer.internal/sign").check()
    SigningService("https://signer.internal/sign").check()


def test_roots_that_cannot_be_read_are_refused_at_start(tmp_path: Path) -> None:
    (tmp_path / "roots.pem").write_text("nothing")
    for roots in (tmp_path / "roots.pem", tmp_path / "absent.pem"):
        with pytest.raises(ConfigurationError, match="DARKROOM_SIGNING_CA"):
            SigningService("https://signer.internal/sign", roots=roots).check()


def test_its_token_is_not_printed() -> None:
    assert "s3cret" not in repr(SigningService("https://signer.internal/sign", token="s3cret"))
