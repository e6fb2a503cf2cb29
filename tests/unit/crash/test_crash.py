"""Crash points: inert unless armed, exact when armed, unknown or in production refused."""

import ast
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from darkroom import crash
from darkroom.errors import ConfigurationError
from darkroom.services.configuration import load_settings

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def _disarmed() -> Iterator[None]:
    yield
    crash.arm(None)


@pytest.fixture
def deaths(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """What would have been killed, and by what."""
    killed: list[tuple[int, int]] = []
    monkeypatch.setattr(crash.os, "kill", lambda pid, number: killed.append((pid, number)))
    return killed


def test_an_armed_process_dies_at_the_pass_that_was_named_and_by_no_other_point() -> None:
    passes = 'crash.here("mid_step"); crash.here("after_claim"); print("passed", flush=True)'
    program = f"from darkroom import crash\ncrash.arm('after_claim:3')\nfor _ in range(9): {passes}"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (ended.returncode, ended.stdout, ended.stderr) == (-9, "passed\n" * 2, "")


@pytest.mark.parametrize("at", [None, "mid_step:1"])
def test_nothing_happens_at_points_that_are_not_armed(at: str | None, deaths: list[tuple[int, int]]) -> None:
    crash.arm("after_claim:1")
    crash.arm(at)
    crash.here("after_claim")
    assert deaths == []


def test_passes_of_many_threads_are_counted_once_each(deaths: list[tuple[int, int]]) -> None:
    crash.arm("mid_step:400")
    threads = [threading.Thread(target=lambda: [crash.here("mid_step") for _ in range(200)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(deaths) == 1


@pytest.mark.parametrize("at", ["nowhere:1", "after_claim", "after_claim:0", "after_claim:x", ":1", "mid_step:1\n"])
def test_a_point_that_does_not_exist_is_refused_at_start(at: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DARKROOM_CRASH_AT", at)
    with pytest.raises(ConfigurationError, match="DARKROOM_CRASH_AT"):
        load_settings()


@pytest.mark.parametrize("point", crash.POINTS)
def test_every_point_can_be_named(point: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DARKROOM_CRASH_AT", f"{point}:12")
    assert load_settings().crash_at == f"{point}:12"


def test_production_refuses_to_be_armed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DARKROOM_CRASH_AT", "mid_step:1")
    monkeypatch.setenv("DARKROOM_PRODUCTION", "true")
    with pytest.raises(ConfigurationError, match=r"DARKROOM_CRASH_AT: .*DARKROOM_PRODUCTION"):
        load_settings()


def test_every_point_is_passed_in_one_place() -> None:
    passed = [point for package in ("darkroom", "api", "worker") for point in _points_in(ROOT / package)]
    assert sorted(passed) == sorted(crash.POINTS)


def _points_in(package: Path) -> Iterator[str]:
    for path in package.rglob("*.py"):
        text = path.read_text()
        for node in ast.walk(ast.parse(text)) if "crash.here" in text else ():
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "crash.here":
                yield ast.literal_eval(node.args[0])
