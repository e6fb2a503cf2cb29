"""What all tests share: servers, and a terminal's Ctrl-C."""

import signal
from pathlib import Path

import pytest

CLIENTS = Path(__file__).with_name("clients")

pytest_plugins: list[str] = ["tests.servers.valkey", "tests.servers.seaweedfs"]

# A shell that starts the tests in the background has them ignore Ctrl-C, and so would all that they start and stop.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """The packages of others take long to import, and some need node or a browser: only who names them gets them."""
    if collection_path != CLIENTS:
        return None
    named = ((config.invocation_params.dir / arg.partition("::")[0]).resolve() for arg in config.args)
    return not any(path == CLIENTS or CLIENTS in path.parents for path in named)
