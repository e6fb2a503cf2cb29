"""A worker whose checkers never come back: a real child, engine, ledger and store."""

from pathlib import Path

import pytest

from darkroom.contract.job import JobState
from darkroom.ledger.server import LocalRedis
from tests.e2e.worker.test_rollouts import rolling

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


async def test_a_child_whose_checkers_all_hang_is_followed_by_one_that_looks(
    tmp_path: Path, valkey: LocalRedis, key_prefix: str
) -> None:
    async with rolling(tmp_path, valkey.url, key_prefix, "1", "checker", safety={"output": "block"}) as service:
        first = await service.next_worker("")
        unseen = await service.ended(await service.submit(steps=2))
        assert (unseen.state, unseen.failure and unseen.failure.code) == (JobState.FAILED, "safety_unavailable")
        assert (tmp_path / "hung").exists()
        await service.next_worker(first)
        assert (await service.ended(await service.submit(steps=2))).state is JobState.SUCCEEDED
        log = service.log.read_text()
        assert "checker.hung" in log
        assert "checkers.lost" in log
        assert log.count("worker.drained") == 1
        assert await service.stop() == 0
