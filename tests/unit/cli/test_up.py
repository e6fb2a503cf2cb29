"""What `up` tells people to type."""

from pathlib import Path

import pytest

from darkroom.cli import stack
from darkroom.cli.app import run
from darkroom.cli.up import invoked_as, welcome
from darkroom.settings import Settings


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A `darkroom` in a virtual environment below the current folder."""
    made = tmp_path / ".venv" / "bin" / "darkroom"
    made.parent.mkdir(parents=True)
    made.touch(mode=0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", [str(made), "up"])
    return made


def test_outside_its_environment_the_command_is_named_by_its_place(
    program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/usr/bin")
    assert invoked_as() == ".venv/bin/darkroom"
    monkeypatch.setattr("sys.argv", [".venv/bin/darkroom", "up"])
    assert invoked_as() == ".venv/bin/darkroom"


def test_where_it_is_on_path_the_command_is_just_named(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(program.parent))
    assert invoked_as() == "darkroom"


def test_from_another_folder_its_whole_path_is_told(
    program: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/usr/bin")
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    assert invoked_as() == str(program)


@pytest.mark.parametrize(("production", "open_to_all"), [("false", True), ("true", False)])
def test_only_outside_production_is_a_machine_of_ones_own_served_without_keys(
    production: str, open_to_all: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    started: list[Settings] = []

    def running(settings: Settings, *_: object) -> None:
        started.append(settings)
        raise KeyboardInterrupt

    monkeypatch.setattr(stack, "running", running)
    monkeypatch.setenv("DARKROOM_PRODUCTION", production)
    monkeypatch.delenv("DARKROOM_ALLOW_ANONYMOUS", raising=False)
    assert run(["up", "--home", str(tmp_path)]) == 0
    assert [settings.allow_anonymous for settings in started] == [open_to_all]


@pytest.mark.parametrize("playground", [True, False])
def test_whoever_starts_it_is_told_of_the_page(playground: bool, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, playground=playground)
    lines = welcome(stack.Stack("http://127.0.0.1:8000", settings, (), None))
    assert ("  page      http://127.0.0.1:8000/ in a browser" in lines) is playground
