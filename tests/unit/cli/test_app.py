"""The edge of the command line: one line for every error, and the exit codes scripts rely on."""

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
