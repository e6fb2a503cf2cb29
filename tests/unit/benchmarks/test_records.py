"""The benchmark of a cache of records leaves nothing behind."""

from pathlib import Path

import pytest

from benchmarks import records
from darkroom.ledger.server import LocalRedis
from darkroom.settings import Settings


@pytest.mark.slow
async def test_what_was_written_to_store_and_redis_is_deleted_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "RECORDS", 3)
    monkeypatch.setattr(records, "VERIFIED", 1)
    with LocalRedis(tmp_path / "redis") as server:
        settings = Settings(home=tmp_path / "home", redis_url=server.url)
        told = await records.measured(settings)
        async with records.Redis.from_url(server.url) as redis:
            assert await redis.dbsize() == 0
    assert [path for path in settings.folder_root.rglob("*") if path.is_file()] == []
    assert all(value > 0 for value in told.values())
    assert told["verify_cut_ms"] > told["store_ms"]
