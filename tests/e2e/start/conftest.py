"""Servers to be refused by, and processes that are begun in an environment of their own."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from shutil import copytree

import pytest

from darkroom.catalog.registry import EMBEDDED, embedded_model_folder
from darkroom.ledger.server import LocalRedis
from darkroom.services.redis_users import acl_file, fresh_passwords
from tests.e2e.start.stage import Environment, Stage, valkey
from tests.servers.seaweedfs import S3Server


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory, seaweedfs: S3Server) -> Iterator[Stage]:
    folder, passwords = tmp_path_factory.mktemp("servers"), fresh_passwords()
    (folder / "users.acl").write_text(acl_file("darkroom", passwords).replace("+hgetall ", ""))
    s3 = {f"DARKROOM_{name.upper()}": value for name, value in seaweedfs.settings().items()}
    with ExitStack() as stack:
        well = stack.enter_context(LocalRedis(folder / "well", appendfsync="no"))
        evicting = stack.enter_context(valkey(folder / "evicting", "--maxmemory-policy", "allkeys-lru"))
        guarded = stack.enter_context(valkey(folder / "guarded", "--aclfile", str(folder / "users.acl")))
        url = f"redis://127.0.0.1:{evicting}/0"
        yield Stage(well.url, url, guarded, {"DARKROOM_REDIS_URL": well.url, **s3}, passwords)


@pytest.fixture
def unloadable(tmp_path: Path) -> Environment:
    """A model that nothing is wrong with to who reads its headers, and that cannot be loaded."""
    folder = tmp_path / "model"
    copytree(embedded_model_folder(), folder)
    config = folder / "text_encoder" / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"hidden_act": "no such thing"}))
    return {"DARKROOM_MODELS": json.dumps({EMBEDDED: str(folder)})}
