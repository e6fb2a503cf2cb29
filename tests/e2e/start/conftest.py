"""Servers to be refused by, and processes that are begun in an environment of their own."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from darkroom.ledger.server import LocalRedis
from darkroom.services.redis_users import acl_file, fresh_passwords
from tests.e2e.start.stage import Stage, valkey
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
