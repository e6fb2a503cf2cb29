"""A service of the operator's: what it is told, what it may answer, and what happens to callers when it does not."""

import base64
import gzip
import io
import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import numpy as np
import pytest
from PIL import Image

from darkroom.errors import ConfigurationError, SafetyUnavailable
from darkroom.safety.building import open_hook, prompt_checkers
from darkroom.safety.hook import MOST_ANSWER, SIDE, UNSAID, HookPlace
from darkroom.settings import Settings
from tests.servers.posts import Answer, served
from tests.unit.safety.hooked import asking_about_pictures, asking_about_prompts


def says(content: object, status: int = 200) -> Answer:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return lambda _: (status, body)


FINE = says({"categories": {"sexual": 0.25, "gore": 1}, "version": "filter-2026-11"})


def test_a_prompt_is_sent_whole_and_scores_come_back() -> None:
    with served(FINE) as service, asking_about_prompts(service.url, token="s3cret") as checker:
        assert checker.version == UNSAID
        assert checker.scores("a «cat», \ud800 12 × 8") == {"sexual": 0.25, "gore": 1.0}
        assert (checker.name, checker.version) == ("hook", "filter-2026-11")
    (sent,), (headers,) = service.asked, service.headers
    assert json.loads(sent) == {"kind": "prompt", "prompt": "a «cat», \ud800 12 × 8"}
    assert headers["authorization"] == "Bearer s3cret"
    assert headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("height", "width", "sent"), [(64, 32, (32, 64)), (1024, 2048, (512, 256)), (1, 3000, (512, 1))]
)
def test_a_picture_is_sent_small(height: int, width: int, sent: tuple[int, int]) -> None:
    picture = np.full((height, width, 3), (10, 200, 30), np.uint8)
    with served(FINE) as service, asking_about_pictures(service.url) as checker:
        checker.scores(picture)
    asked = json.loads(service.asked[0])
    assert (asked["kind"], asked["media_type"]) == ("picture", "image/jpeg")
    assert (asked["width"], asked["height"]) == (width, height)
    with Image.open(io.BytesIO(base64.b64decode(asked["image"]))) as shown:
        assert shown.size == sent
        assert max(shown.size) <= SIDE
        assert np.abs(np.asarray(shown, int) - (10, 200, 30)).max() < 12


WRONG: dict[str, Answer] = {
    "another status": says({"categories": {}}, 204),
    "a refusal": says({"categories": {}}, 403),
    "a redirect": says(b"", 307),
    "no JSON": says(b"fine"),
    "nothing": says(b""),
    "no object": says([]),
    "no categories": says({}),
    "more than categories": says({"categories": {}, "flagged": False}),
    "a score in words": says({"categories": {"sexual": "0.9"}}),
    "a yes": says({"categories": {"sexual": True}}),
    "no score": says({"categories": {"sexual": None}}),
    "a score above 1": says({"categories": {"sexual": 1.01}}),
    "a score below 0": says({"categories": {"sexual": -0.1}}),
    "not a number": says(b'{"categories": {"sexual": NaN}}'),
    "infinity": says(b'{"categories": {"sexual": 1e999}}'),
    "a category in other letters": says({"categories": {"Sexual Content": 0.1}}),
    "too many categories": says({"categories": {f"c{number}": 0.0 for number in range(101)}}),
    "a version of several words": says({"categories": {}, "version": "one two"}),
    "a flood": says({"categories": {}, "version": "a" * MOST_ANSWER}),
    "depths": says(b'{"categories": ' + b"[" * 30_000),
}


@pytest.mark.parametrize("how", WRONG)
def test_what_is_no_sound_answer_is_safety_unavailable(how: str, capsys: pytest.CaptureFixture[str]) -> None:
    with served(WRONG[how]) as service, asking_about_prompts(service.url) as checker:
        with pytest.raises(SafetyUnavailable, match=r"^the safety checker hook gave no answer$"):
            checker.scores("a secret prompt")
        assert checker.version == UNSAID
    logged = "".join(capsys.readouterr())
    assert "checker.failed" in logged
    assert "secret" not in logged
    assert service.url not in logged


def test_an_answer_that_is_compressed_is_not_opened(capsys: pytest.CaptureFixture[str]) -> None:
    """Twice compressed, what fits into an answer would be gigabytes."""
    fine = json.dumps({"categories": {"sexual": 0.25}}).encode()
    twice = gzip.compress(gzip.compress(fine + b" " * 10_000_000))
    for encoding, body in (("gzip", gzip.compress(fine)), ("gzip, gzip", twice)):
        answer = says(body)
        with served(answer, encoding=encoding) as service, asking_about_prompts(service.url) as checker:
            with pytest.raises(SafetyUnavailable):
                checker.scores("a cat")
            assert service.headers[0]["accept-encoding"] == "identity"
        assert "answered compressed" in "".join(capsys.readouterr())


@pytest.mark.slow
def test_a_service_that_hangs_is_given_up() -> None:
    with served(FINE, hold=Event()) as service, asking_about_prompts(service.url, seconds=0.2) as checker:
        began = time.monotonic()
        with pytest.raises(SafetyUnavailable):
            checker.scores("a cat")
        assert time.monotonic() - began < 5


@pytest.mark.slow
def test_a_service_that_answers_a_byte_at_a_time_is_given_up() -> None:
    with (
        served(FINE, drip=0.05) as service,
        asking_about_prompts(service.url, seconds=0.3) as checker,
        pytest.raises(SafetyUnavailable),
    ):
        checker.scores("a cat")


@pytest.mark.slow
def test_nobody_waits_for_a_service_that_failed_three_times_until_it_answers() -> None:
    well = Event()

    def answer(body: bytes) -> tuple[int, bytes]:
        return (200, b'{"categories": {"sexual": 0.5}}') if well.is_set() else (500, b"")

    with served(answer) as service, asking_about_prompts(service.url) as checker:
        for _ in range(8):
            with pytest.raises(SafetyUnavailable):
                checker.scores("a cat")
        assert [json.loads(body)["kind"] for body in service.asked].count("prompt") == 3
        well.set()
        until = time.monotonic() + 20
        while time.monotonic() < until:
            try:
                assert checker.scores("a cat") == {"sexual": 0.5}
                break
            except SafetyUnavailable:
                time.sleep(0.05)
        assert {"kind": "ping"} in map(json.loads, service.asked)
        assert checker.scores("a cat") == {"sexual": 0.5}


def test_many_ask_at_once() -> None:
    def answer(body: bytes) -> tuple[int, bytes]:
        score = int(json.loads(body)["prompt"]) / 100
        return 200, json.dumps({"categories": {"sexual": score}}).encode()

    with served(answer) as service, asking_about_prompts(service.url) as checker, ThreadPoolExecutor(12) as threads:
        found = list(threads.map(checker.scores, map(str, range(40))))
    assert found == [{"sexual": number / 100} for number in range(40)]


def test_what_is_no_picture_is_asked_of_nobody() -> None:
    with served(FINE) as service, asking_about_pictures(service.url) as checker, pytest.raises(SafetyUnavailable):
        checker.scores(np.zeros((0, 4, 3), np.uint8))
    assert service.asked == []


@pytest.mark.parametrize("url", ["http://10.0.0.7/check", "http://moderation/check", "http://127.0.0.1.example/"])
def test_questions_go_unencrypted_to_this_machine_alone_unless_the_operator_says_so(url: str) -> None:
    with pytest.raises(ConfigurationError, match="DARKROOM_SAFETY_HOOK_URL must be https"):
        prompt_checkers(Settings(safety_hook_url=url))
    HookPlace(url, plaintext=True).check()


@pytest.mark.parametrize("token", ["two words", "naïve", "line\nbreak"])
def test_a_token_that_no_header_can_have_stops_the_start(token: str) -> None:
    with pytest.raises(ConfigurationError, match="DARKROOM_SAFETY_HOOK_TOKEN"):
        open_hook(Settings(safety_hook_url="https://127.0.0.1/", safety_hook_token=token), "prompts")


def test_roots_that_are_none_stop_the_start(tmp_path: Path) -> None:
    (tmp_path / "roots.pem").write_text("no certificate")
    for roots in (tmp_path / "roots.pem", tmp_path / "gone.pem"):
        with pytest.raises(ConfigurationError, match="DARKROOM_SAFETY_HOOK_CA"):
            open_hook(Settings(safety_hook_url="https://127.0.0.1/", safety_hook_ca=roots), "prompts")


def test_it_is_asked_about_what_the_settings_say() -> None:
    with served(FINE) as service:
        only = Settings(safety_hook_url=service.url, safety_hook_asks=("pictures",), safety_minors_list=False)
        assert prompt_checkers(only) == ()
        assert open_hook(Settings(), "pictures") is None
        hook = open_hook(only, "pictures")
        assert hook is not None
        hook.close()
