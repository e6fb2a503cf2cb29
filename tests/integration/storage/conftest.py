"""One suite, three stores: `store` is each of them in turn."""

import asyncio
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from darkroom.settings import Settings
from darkroom.storage import FolderStore, MemoryStore, ObjectStore, open_store
from tests.servers.seaweedfs import S3Server


@pytest.fixture(scope="session")
def s3_store(seaweedfs: S3Server) -> Iterator[ObjectStore]:
    """One for the session: making boto3's clients takes the better part of a second."""
    store = open_store(Settings(**seaweedfs.settings()))
    yield store
    asyncio.run(store.close())


@pytest.fixture(params=["memory", "folder", pytest.param("s3", marks=pytest.mark.slow)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    if request.param == "s3":
        shared: ObjectStore = request.getfixturevalue("s3_store")
        return shared
    return MemoryStore() if request.param == "memory" else FolderStore(tmp_path / "store")


@pytest.fixture
def key() -> str:
    """A key nobody else uses."""
    return f"images/{secrets.token_hex(8)}/0.png"
