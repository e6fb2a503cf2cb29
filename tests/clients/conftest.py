"""The real service for the packages of others: gateway, worker, courier and Valkey as processes, the embedded model.

Each flavour is started once for the whole run, when a test first asks for it. What these tests need beside Python is
made by `make clients`: there a thing that is missing fails a test, and elsewhere skips it.
"""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from tests.clients.flavours import Running, run_anonymous, run_keyed, run_on_s3
from tests.servers.seaweedfs import S3Server

HERE = Path(__file__).parent
NODE_SECONDS = 180
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
# Without these it calls home, or asks for a sandbox that a container cannot give.
CHROMIUM_FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
# Of packages that we only run, as narrow as can be.
FOREIGN_WARNINGS = (
    # litellm's router, where litellm was imported by a test before
    "ignore:Items .* on TypedDict class 'CooldownCacheValue' are using the `ReadOnly` qualifier:UserWarning",
)

RunNode = Callable[..., str]


def pytest_configure(config: pytest.Config) -> None:
    for warning in FOREIGN_WARNINGS:
        config.addinivalue_line("filterwarnings", warning)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.clients)


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Without keys, as `darkroom up` is on one's own machine. Pictures lie in a folder."""
    with run_anonymous(tmp_path_factory.mktemp("anonymous")) as running:
        yield running


@pytest.fixture(scope="session")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """With a key each for the tenants `ann` and `ben`, and nothing for anybody else."""
    with run_keyed(tmp_path_factory.mktemp("keyed")) as running:
        yield running


@pytest.fixture(scope="session")
def on_s3(tmp_path_factory: pytest.TempPathFactory, seaweedfs: S3Server) -> Iterator[Running]:
    """As `keyed`, with pictures in S3: links to them are presigned."""
    with run_on_s3(tmp_path_factory.mktemp("s3"), seaweedfs) as running:
        yield running


@pytest.fixture(scope="session")
def node() -> RunNode:
    """`node("openai.test.mjs", DARKROOM_URL=service.url)` runs a file of tests/clients/node, and gives what it says."""
    program = shutil.which("node")
    if program is None or not (HERE / "node_modules").exists():
        missing("node and its packages (`npm ci --prefix tests/clients`)")

    def run(script: str | Path, **environment: str) -> str:
        ended = subprocess.run(
            [str(program), "--test", "--test-reporter=spec", str(HERE / "node" / script)],
            env={"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=NODE_SECONDS,
        )
        assert ended.returncode == 0, ended.stdout
        return ended.stdout

    return run


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of Debian's browser; start it with `CHROMIUM_FLAGS`."""
    found = next((path for name in CHROMIUM if (path := shutil.which(name))), None)
    return found or missing("chromium")


def missing(what: str) -> NoReturn:
    """Skip, or fail where everything has to be there."""
    if os.environ.get("CI") or os.environ.get("CLIENTS") == "required":
        pytest.fail(f"{what}: not here, and `make clients` should have brought it")
    pytest.skip(f"{what}: not here; `make clients` brings it")
