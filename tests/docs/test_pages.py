"""Pages say what the code says."""

import importlib.util
import inspect
import re
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

import darkroom
import darkroom.errors
from darkroom.errors import DarkroomError
from tests.docs.pages import LINK, ROOT, anchors, page, pages, table_rows

ERRORS = {
    error.code: error
    for _, error in inspect.getmembers(darkroom.errors, inspect.isclass)
    if issubclass(error, DarkroomError) and "code" in vars(error)
}


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_generate", ROOT / "docs" / "generate.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_settings_page_is_the_one_the_settings_give() -> None:
    assert page("docs/settings.md") == generator().settings_page(), "run `make fix`"


@pytest.mark.slow
def test_the_cli_page_is_the_one_the_commands_give() -> None:
    assert page("docs/cli.md") == generator().cli_page(), "run `make fix`"


def test_the_cli_page_has_every_command() -> None:
    from darkroom.cli.app import app

    groups = {
        "": app,
        **{f"{group.typer_instance.info.name} ": group.typer_instance for group in app.registered_groups},
    }
    commands = {
        prefix + (command.name or command.callback.__name__.replace("_", "-"))
        for prefix, group in groups.items()
        for command in group.registered_commands
        if command.callback
    }
    commands |= {
        str(group.typer_instance.info.name)
        for group in app.registered_groups
        if group.typer_instance.info.invoke_without_command is True
    }
    assert set(generator().COMMANDS) == commands


def test_the_errors_page_has_every_error_with_its_status_and_whether_to_retry() -> None:
    told = {row[0]: row[1:3] for row in table_rows("docs/errors.md")}
    raised = {code: (str(error.status), "yes" if error.retryable else "no") for code, error in ERRORS.items()}
    assert told == raised | {"internal_error": ("500", "no")}


def test_the_errors_page_is_the_one_the_tree_and_its_words_give() -> None:
    assert page("docs/errors.md") == generator().errors_page(), (
        "write in darkroom/errors/explained.toml, run `make fix`"
    )


def test_the_error_tree_is_drawn_whole() -> None:
    drawn = set(re.findall(r"[├└]── (\w+)", darkroom.errors.__doc__ or ""))
    kinds = {name for name, kind in inspect.getmembers(darkroom.errors, inspect.isclass) if issubclass(kind, Exception)}
    assert drawn | {"DarkroomError"} == kinds


def test_every_decision_is_in_the_index_and_has_its_four_parts() -> None:
    index = page("docs/adr/README.md")
    decisions = sorted(ROOT.glob("docs/adr/0*.md"))
    assert decisions
    for path in decisions:
        assert f"({path.name})" in index
        headings = re.findall(r"^## (\w+)$", path.read_text(), re.MULTILINE)
        assert headings == ["Context", "Decision", "Consequences", "Alternatives"], path.name
        assert path.read_text().startswith(f"# {path.name[:4]}. "), path.name


@pytest.mark.parametrize("path", pages(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_between_pages_lead_somewhere(path: Path) -> None:
    targets = [target.partition("#")[0] for target in LINK.findall(path.read_text())]
    missing = [target for target in targets if target and "://" not in target and not (path.parent / target).exists()]
    assert missing == []


@pytest.mark.parametrize("path", pages(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_into_a_page_lead_to_a_heading(path: Path) -> None:
    inner = [target.partition("#") for target in LINK.findall(path.read_text()) if "://" not in target]
    led = {(path.parent / name if name else path, anchor) for name, _, anchor in inner if anchor}
    assert {link for link in led if link[0].suffix == ".md" and link[1] not in anchors(link[0])} == set()


def test_files_that_send_to_a_page_send_to_a_heading() -> None:
    """Comments of descriptions, alerts and code, which nobody clicks on."""
    found = subprocess.run(
        ["git", "grep", "-hoIE", r"docs/[a-z]+\.md#[a-z-]+"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    assert found
    missing = [
        (page, anchor)
        for page, _, anchor in (target.partition("#") for target in found)
        if anchor not in anchors(ROOT / page)
    ]
    assert missing == []


@pytest.mark.parametrize(
    "code_path",
    [
        "docs/architecture.md",
        "docs/engine.md",
        "README.md",
        "CONTRIBUTING.md",
        "docs/operations.md",
        "docs/operations-in-detail.md",
    ],
)
def test_files_that_a_page_names_exist(code_path: str) -> None:
    named = set(
        re.findall(r"`((?:darkroom|api|worker|training|tests|docs|deploy|examples)/[\w./-]*)`", page(code_path))
    )
    assert {name for name in named if not (ROOT / name).exists()} == set()


def test_the_changelog_knows_this_version() -> None:
    assert f"## {darkroom.__version__}" in page("CHANGELOG.md")
