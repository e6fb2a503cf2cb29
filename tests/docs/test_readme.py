"""The README, followed word for word: every shell block is run, every answer it prints is compared."""

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.docs.pages import ROOT, Block, blocks, page

URL = "http://127.0.0.1:8000"
STAYS = "make up\n"  # runs until Ctrl-C: it is the service of the other blocks
RUNS_US = {"make test\n", "make check\n"}

README = blocks("README.md")
SHELL = [block for block in README if block.language == "sh"]
ANSWERED = [(asked, told) for asked, told in pairwise(README) if asked.language == "sh" and told.language != "sh"]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder like a fresh checkout with its environment made, where files may be left."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in (".venv", "Makefile", "pyproject.toml", "examples"):
        (folder / name).symlink_to(ROOT / name)
    return folder


@pytest.fixture(scope="module")
def environment(checkout: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DARKROOM_")}
    return {**kept, "HOME": str(checkout), "OMP_NUM_THREADS": "1"}


@pytest.fixture(scope="module")
def service(checkout: Path, environment: dict[str, str]) -> Iterator[str]:
    """`make up` on a free port; its URL."""
    with (checkout / "up.log").open("wb") as log:
        process = subprocess.Popen(
            ["bash", "-c", STAYS],
            cwd=checkout,
            env={**environment, "DARKROOM_PORT": "0"},
            stderr=log,
            stdout=log,
            start_new_session=True,
        )
    try:
        yield wait_for_url(process, checkout / "up.log")
    finally:
        os.killpg(process.pid, signal.SIGINT)
        process.wait(60)


def wait_for_url(process: "subprocess.Popen[bytes]", log: Path) -> str:
    until = time.monotonic() + 120
    while time.monotonic() < until and process.poll() is None:
        if found := re.search(r"is open at (\S+)\n", log.read_text()):
            return found[1]
        time.sleep(0.1)
    raise AssertionError(log.read_text())


def run(block: Block, service: str, checkout: Path, environment: dict[str, str]) -> str:
    """What a shell block prints when it is typed in."""
    script = block.text.replace(URL, service)
    ended = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=checkout,
        env={**environment, "DARKROOM_URL": service, "PATH": f"{checkout}/.venv/bin:{environment['PATH']}"},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert ended.returncode == 0, f"{script}\n{ended.stdout}\n{ended.stderr}"
    return ended.stdout.replace(service, URL)


def test_every_shell_block_does_what_the_page_says(service: str, checkout: Path, environment: dict[str, str]) -> None:
    """One test, since later blocks build on earlier ones as they do for a reader."""
    expected = {asked.text: told for asked, told in ANSWERED}
    verified = recovered = ""
    for block in SHELL:
        if block.text == STAYS or block.text in RUNS_US:
            continue
        printed = run(block, service, checkout, environment)
        if told := expected.get(block.text):
            assert_told(told, printed)
        verified = printed if "darkroom verify" in block.text else verified
        recovered = printed if "provenance/verify" in block.text else recovered
    assert_leads_back(verified, json.loads(recovered))


def assert_leads_back(verified: str, recovered: dict[str, Any]) -> None:
    """The stripped picture is told to be the one that was made, and not just one that was."""
    lines = dict(line.split()[:2] for line in verified.splitlines() if line.startswith(("  manifest", "  watermark")))
    assert lines == {"manifest": recovered["manifest_id"], "watermark": recovered["watermark_id"]}


def assert_told(told: Block, printed: str) -> None:
    """The page may shorten: text with `…` stands for anything that begins alike or is as specific, lines for more."""
    if told.language == "json":
        assert_part_of(json.loads(told.text), json.loads(printed))
        return
    told_words = [line.split()[0] for line in told.text.splitlines()]
    printed_words = [line.split()[0] for line in printed.splitlines()]
    assert told_words == printed_words[-len(told_words) :]
    assert shape(told.text.splitlines()[0]) in {shape(line) for line in printed.splitlines()}


def assert_part_of(told: Any, answered: Any, where: str = "") -> None:
    match told:
        case dict():
            for name, value in told.items():
                assert name in answered, f"{where}.{name}"
                assert_part_of(value, answered[name], f"{where}.{name}")
        case list():
            assert len(told) == len(answered), where
            for index, value in enumerate(told):
                assert_part_of(value, answered[index], f"{where}[{index}]")
        case str() if "…" in told:
            assert isinstance(answered, str), where
            assert re.fullmatch(pattern(told), answered), f"{where}: {told} is not {answered}"
        case _:
            assert told == answered, where


def pattern(told: str) -> str:
    """What a shortened text may stand for: words stay, and whatever differs from run to run (ids, digests) may."""
    return "".join("[^/]+" if part.endswith("…") else re.escape(part) for part in re.split(r"([^/:]*…)", told))


def shape(line: str) -> str:
    return re.sub(r"[0-9a-f]{6,}|\d+", "#", line)


def test_make_targets_the_page_names_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", page("Makefile"), re.MULTILINE))
    named = set(re.findall(r"(?:`|^)make ([a-z-]+)", page("README.md"), re.MULTILINE))
    assert {"up", "test", "clients"} <= named <= targets
    assert RUNS_US & {block.text for block in SHELL} == {"make test\n"}


def test_examples_run_against_the_service(service: str, checkout: Path, environment: dict[str, str]) -> None:
    sheet = Block("sh", f"python examples/contact_sheet.py sheet.png --url {service}")
    assert run(sheet, service, checkout, environment).strip() == "sheet.png"
    assert (checkout / "sheet.png").stat().st_size > 10_000
