"""The house rules that no linter knows."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PRODUCT = ("darkroom", "api", "worker")
WRITTEN = (*PRODUCT, "training", "benchmarks", "examples", "docs", "tests")
MOST_LINES = 300
SAYS_NOTHING = {"utils", "util", "helpers", "helper", "manager", "managers", "common", "misc"}
EVENT = re.compile(r"[a-z]+\.[a-z_]+$")
LOGGING = re.compile(r"_?log\.(debug|info|warning|error|exception)")
RUNS_CODE_WHEN_READ = {"pickle", "cPickle", "dill", "cloudpickle", "shelve", "marshal", "joblib"}


def sources(*folders: str) -> Iterator[Path]:
    for folder in folders:
        yield from sorted((ROOT / folder).rglob("*.py"))


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_no_file_is_longer_than_a_reader_can_hold() -> None:
    lengths = {relative(path): len(path.read_text().splitlines()) for path in sources(*WRITTEN)}
    assert {name: length for name, length in lengths.items() if length > MOST_LINES} == {}


def test_no_module_has_a_name_that_says_nothing() -> None:
    named = [relative(path) for path in sources(*WRITTEN) if SAYS_NOTHING & {path.stem, *path.parent.parts}]
    assert named == []


def test_every_module_of_the_product_says_what_it_is_for() -> None:
    doubtful = [path for path in sources(*PRODUCT) if not path.read_text().startswith('"""')]
    silent = [relative(path) for path in doubtful if ast.get_docstring(ast.parse(path.read_text())) is None]
    assert silent == []


def test_nothing_reads_data_that_can_run_code() -> None:
    readers = {relative(path): found for path in sources(*PRODUCT, "training") if (found := pickles_in(path))}
    assert readers == {}


def pickles_in(path: Path) -> list[str]:
    """Imports of pickle and its like, and torch.load without `weights_only=True`."""
    found: list[str] = []
    text = path.read_text()
    for node in ast.walk(ast.parse(text)) if any(name in text for name in {*RUNS_CODE_WHEN_READ, "torch.load"}) else ():
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names if alias.name.partition(".")[0] in RUNS_CODE_WHEN_READ]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in RUNS_CODE_WHEN_READ:
            found.append(str(node.module))
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "torch.load":
            found += [] if "weights_only=True" in ast.unparse(node) else ["torch.load"]
    return found


def test_log_events_are_a_noun_and_what_became_of_it() -> None:
    odd = {
        f"{relative(path)}: {name}" for path in sources(*PRODUCT) for name in events_in(path) if not EVENT.match(name)
    }
    assert odd == set()


def events_in(path: Path) -> list[str]:
    """What is logged by a module's own logger, `log` or `_log`; anything but a literal shows as its code."""
    text = path.read_text()
    if not LOGGING.search(text):
        return []
    return [
        str(node.args[0].value) if isinstance(node.args[0], ast.Constant) else ast.unparse(node.args[0])
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call) and LOGGING.fullmatch(ast.unparse(node.func))
    ]


def test_help_is_shown_without_loading_anything_heavy() -> None:
    program = """
import sys
from darkroom.cli.app import run
code = run(["--help"])
heavy = {"torch", "api", "worker", "fastapi", "boto3", "redis", "numpy", "pydantic", "rich"}
sys.exit(code or ", ".join(sorted(heavy & set(sys.modules))) or 0)
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "generate" in ended.stdout
