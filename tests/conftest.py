"""What all tests share: servers, a terminal's Ctrl-C, and logging that no test leaves changed."""

import gc
import logging
import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.logs import logging_kept

# Hypothesis looks up all of Unicode before it draws its first text, for seconds where the machine is crowded.
settings.register_profile("crowded", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("crowded")

# What takes long to import or needs programs of others: `make clients` and `make deploy-check` have them.
APART = tuple(Path(__file__).with_name(name) for name in ("clients", "deploy"))

# The first mark of a file, which all of its tests bear.
ALL_SLOW = re.compile(r"^pytestmark = \[?\s*pytest\.mark\.slow\b", re.MULTILINE)


def _unwritten(_record: logging.LogRecord) -> None:
    """Python prints that a line could not be written, and goes on. What was called in a wrong way fails its test."""
    if isinstance(sys.exception(), (TypeError, KeyError)):
        raise


assert logging.lastResort is not None
logging.lastResort.handleError = _unwritten  # type: ignore[method-assign]

pytest_plugins: list[str] = ["tests.servers.valkey", "tests.servers.seaweedfs"]

# A shell that starts the tests in the background has them ignore Ctrl-C, and so would all that they start and stop.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """What is imported stays to the end. Looking through its two million objects takes most of a second each time."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Only who names a folder of these gets it. Files that are slow as a whole are not imported to be left out."""
    if collection_path.suffix == ".py" and config.option.markexpr == "not slow":
        return ALL_SLOW.search(collection_path.read_text()) is not None or None
    if collection_path not in APART:
        return None
    named = ((config.invocation_params.dir / arg.partition("::")[0]).resolve() for arg in config.args)
    return not any(path == collection_path or collection_path in path.parents for path in named)


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    """A command that runs in the test's process sends the logs of all tests after it to a stream that is closed."""
    with logging_kept():
        yield
