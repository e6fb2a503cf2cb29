"""Takes each guard away once, and sees whether a test turns red: python -m tests.mutants.run [WORDS...]

Works in a copy of the tree. A guard makes this fail whose absence no test notices (survived), that does not stand where
its row says (lost), without which the tests cannot even be run (broken), or whose tests fail beside it (unfit). WORDS
pick guards by what they are or by their file. The last line is JSON.
"""

import json
import os
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import cache_from_source
from pathlib import Path
from shutil import copy2
from tempfile import TemporaryDirectory
from typing import Literal

ROOT = Path(__file__).parents[2]
SECONDS = 600
FAILED_TESTS = 1  # pytest's exit code; others are of tests that could not be run

Verdict = Literal["killed", "survived", "lost", "broken", "unfit"]


@dataclass(frozen=True)
class Guard:
    """`find` stands once in `file`; with `put` in its place, one of `tests` must fail."""

    what: str
    file: str
    find: str
    put: str
    tests: tuple[str, ...]


def guards() -> Iterator[Guard]:
    for path in sorted(Path(__file__).parent.glob("*.toml")):
        for row in tomllib.loads(path.read_text())["guard"]:
            yield Guard(**{**row, "tests": tuple(row["tests"])})


def copied(target: Path) -> Path:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode()
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            copy2(ROOT / name, target / name)
    return target


def exit_code(tree: Path, tests: Sequence[str]) -> int:
    """Exit code of pytest, which sees the tree before any installation."""
    environment = os.environ | {"PYTHONPATH": str(tree)}
    options = ["-x", "-q", "--no-header", "-p", "no:cacheprovider", "--timeout", "60"]
    try:
        ran = subprocess.run(
            [sys.executable, "-m", "pytest", *options, *tests],
            cwd=tree,
            env=environment,
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return -1
    return ran.returncode


def write(place: Path, text: str) -> None:
    """Python tells old bytecode by whole seconds and size, which may be the same."""
    place.write_text(text)
    Path(cache_from_source(str(place))).unlink(missing_ok=True)


def verdict(tree: Path, guard: Guard) -> Verdict:
    place = tree / guard.file
    text = place.read_text()
    if text.count(guard.find) != 1:
        return "lost"
    write(place, text.replace(guard.find, guard.put))
    try:
        code = exit_code(tree, guard.tests)
    finally:
        write(place, text)
    return {0: "survived", FAILED_TESTS: "killed"}.get(code, "broken")  # type: ignore[return-value]


def main(words: Sequence[str]) -> int:
    chosen = [guard for guard in guards() if not words or any(word in guard.what + guard.file for word in words)]
    begun, told = time.monotonic(), {}
    with TemporaryDirectory(prefix="darkroom-mutants-") as folder:
        tree = copied(Path(folder))
        seen = subprocess.run(
            [sys.executable, "-c", "import darkroom; print(darkroom.__file__)"],
            cwd=tree,
            env=os.environ | {"PYTHONPATH": str(tree)},
            capture_output=True,
            text=True,
            check=True,
        )
        assert Path(seen.stdout.strip()).is_relative_to(tree.resolve()), "an installation hides the copy"
        sound: dict[tuple[str, ...], bool] = {}
        for guard in chosen:
            if guard.tests not in sound:
                sound[guard.tests] = exit_code(tree, guard.tests) == 0
            told[guard] = verdict(tree, guard) if sound[guard.tests] else "unfit"
            print(f"{told[guard]:9} {guard.file:45} {guard.what}", flush=True)
    counts = {word: list(told.values()).count(word) for word in ("killed", "survived", "lost", "broken", "unfit")}
    print(json.dumps({"guards": len(chosen), **counts, "seconds": round(time.monotonic() - begun)}))
    return int(counts["killed"] != len(chosen))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
