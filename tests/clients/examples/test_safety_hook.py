"""The service of the examples that looks at prompts and pictures, asked as the gateway and the worker ask."""

from collections.abc import Iterator

import numpy as np
import pytest

from darkroom.errors import SafetyUnavailable
from tests.clients.examples.listening import listening
from tests.unit.safety.hooked import asking_about_pictures, asking_about_prompts

SECONDS = 30
TOKEN = "of-the-hook"


@pytest.fixture
def url() -> Iterator[str]:
    """Where it listens."""
    with listening("safety_hook.py", 0, HOOK_TOKEN=TOKEN) as lines:
        yield lines.get(timeout=SECONDS).split()[-1]


def test_it_answers_about_prompts(url: str) -> None:
    with asking_about_prompts(url, token=TOKEN) as checker:
        assert checker.scores("a knight with two swords") == {"weapon": 1.0}
        assert checker.scores("a swordfish, café ☕") == {"weapon": 0.0}
        assert checker.version == "example-1"


def test_it_answers_about_pictures(url: str) -> None:
    with asking_about_pictures(url, token=TOKEN) as checker:
        black, white = (np.full((700, 900, 3), level, np.uint8) for level in (0, 255))
        assert checker.scores(black)["dark"] == pytest.approx(1, abs=0.02)
        assert checker.scores(white)["dark"] == pytest.approx(0, abs=0.02)


def test_it_answers_to_nobody_without_its_token(url: str) -> None:
    with asking_about_prompts(url, token="another") as checker, pytest.raises(SafetyUnavailable):
        checker.scores("a cat")
