"""The edge of the command line: one line for every error, and the exit codes scripts rely on."""

import os
import subprocess
import sys

import pytest
import typer

import darkroom
from darkroom.cli import app as edge
from darkroom.cli.console import CommandFailed, complain
from darkroom.errors import QueueFull


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> dict[str, Exception]:
    """A command line whose `break` command raises whatever is put under "error"."""
    raised: dict[str, Exception] = {}
    broken = typer.Typer(cls=edge.OneLineErrors, add_completion=False, pretty_exceptions_enable=False)
    broken.callback()(edge.options)

    @broken.command("break")
    def fail() -> None:
        raise raised["error"]

    monkeypatch.setattr(edge, "app", broken)
    return raised


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (CommandFailed("it came back modified"), "darkroom: it came back modified\n"),
        (QueueFull("too many wait"), "darkroom: too many wait\n"),
        (PermissionError(13, "Permission denied", "/root/x.png"), "darkroom: /root/x.png: Permission denied\n"),
        (OSError(28, "No space left on device"), "darkroom: No space left on device\n"),
        (OSError("no file in it"), "darkroom: OSError: no file in it (a fault of ours; --debug shows where)\n"),
        (KeyError("a\nb"), "darkroom: KeyError: 'a\\nb' (a fault of ours; --debug shows where)\n"),
    ],
)
def test_an_error_is_one_line_on_stderr(
    error: Exception, line: str, failing: dict[str, Exception], capsys: pytest.CaptureFixture[str]
) -> None:
    failing["error"] = error
    assert edge.run(["break"]) == 1
    assert capsys.readouterr() == ("", line)


def test_debug_lets_the_error_through(failing: dict[str, Exception]) -> None:
    failing["error"] = QueueFull("too many wait")
    with pytest.raises(QueueFull):
        edge.run(["--debug", "break"])


@pytest.mark.parametrize(
    "arguments",
    [
        ["develop"],
        ["generate"],
        ["generate", "x", "--steps", "many"],
        ["generate", "x", "--size", "big"],
        ["generate", "x", "--hires", "nan"],
        ["generate", "x", "--guidance", "inf"],
        ["generate", "x", "--strength", "nan"],
        ["generate", "x", "--lora", "neon:nan"],
        ["generate", "x", "--map", "canny:gone.png"],
        ["up", "--no"],
    ],
)
def test_wrong_usage_ends_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert edge.run(arguments) == 2
    answered = capsys.readouterr()
    assert answered.out == ""
    assert answered.err.count("\n") == 1


def test_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert edge.run(["--version"]) == 0
    assert capsys.readouterr().out == f"darkroom {darkroom.__version__}\n"


def test_a_message_of_many_lines_is_told_in_one(capsys: pytest.CaptureFixture[str]) -> None:
    complain("first\n  second\tthird")
    assert capsys.readouterr().err == "darkroom: first second third\n"


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [["--version"], ["webhook-secret"], ["generate", "--help"]])
def test_a_reader_that_has_seen_enough_is_told_nothing(arguments: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        ended = subprocess.run(
            [sys.executable, "-m", "darkroom", *arguments],
            stdout=writing,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
        )
    finally:
        os.close(writing)
    assert (ended.returncode, ended.stderr) == (1, "")


@pytest.mark.slow
def test_a_full_disk_is_no_fault_of_ours() -> None:
    with open("/dev/full", "w") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "darkroom", "key"], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60
        )
    assert (ended.returncode, ended.stderr) == (1, "darkroom: No space left on device\n")
