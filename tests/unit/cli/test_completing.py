"""What shells complete."""

import os
import subprocess
import sys

import pytest

from darkroom.cli import completing
from darkroom.cli.completing import names_of
from darkroom.services import Services
from tests.fakes import fake_services
from tests.gateway import served


def completed(words: str, place: int, url: str) -> list[str]:
    """What bash is told for the word at `place`."""
    asked = {"_DARKROOM_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(place), "DARKROOM_URL": url}
    program = "import sys; sys.argv[0] = 'darkroom'; from darkroom.cli import main; main()"
    ended = subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, **asked}, capture_output=True, text=True, check=False
    )
    assert ended.stderr == ""
    return ended.stdout.split()


@pytest.mark.slow
def test_commands_options_and_the_gateways_names_are_completed() -> None:
    services: Services = fake_services()
    with served(services) as (host, port):
        url = f"http://{host}:{port}"
        assert completed("darkroom gen", 1, url) == ["generate"]
        assert completed("darkroom jobs ca", 2, url) == ["cancel"]
        assert completed("darkroom generate x --sched", 3, url) == ["--scheduler"]
        assert "dpmpp_2m_karras" in completed("darkroom batch x --scheduler dpmpp_2m", 4, url)
        assert completed("darkroom generate x --model t", 4, url) == ["tiny"]


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "nowhere", "ftp://x"])
def test_without_a_gateway_no_name_is_completed_and_nothing_is_said(
    url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DARKROOM_URL", url)
    monkeypatch.setattr(completing, "ANSWER_SECONDS", 0.2)
    assert names_of("models")("t") == []
    assert capsys.readouterr() == ("", "")
