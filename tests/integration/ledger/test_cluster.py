"""One node of a cluster, which has all slots: what of a service keeps to one slot, as a cluster wants of each call."""

import time
from collections.abc import Iterator

import pytest
from redis import Redis
from redis.exceptions import ClusterCrossSlotError

from darkroom.contract.job import JobState, Progress
from darkroom.ledger.redis import RedisLedger
from darkroom.ledger.server import LocalRedis, free_port
from darkroom.queue import RqBells
from darkroom.settings import Settings
from tests.integration.ledger.making import claimed, submission, submitted, succeeded, webhook

pytestmark = pytest.mark.slow


class Node(LocalRedis):
    """Refuses calls whose keys lie in several slots, be it alone."""

    def _options(self) -> list[str]:
        return [*super()._options(), "--cluster-enabled", "yes", "--cluster-port", str(free_port())]


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with Node(tmp_path_factory.mktemp("node")) as server:
        with Redis.from_url(server.url) as client:
            client.execute_command("CLUSTER ADDSLOTSRANGE", 0, 16_383)
            until = time.monotonic() + 10
            while client.execute_command("CLUSTER INFO")["cluster_state"] != "ok":
                assert time.monotonic() < until
                time.sleep(0.02)
        yield server


async def test_the_ledger_lies_in_one_slot(node: Node) -> None:
    ledger = RedisLedger(node.url)
    try:
        await ledger.attend("worker", ["tiny"])
        job_id = (await ledger.submit(submission(key="once", webhook=webhook()))).job.id
        claim = await claimed(ledger)
        await ledger.report((job_id, claim.attempt, Progress(step=1, steps=2)))
        await ledger.show_preview(job_id, claim.attempt, 0, b"\xff\xd8\xff")
        assert (await ledger.finish(job_id, claim.attempt, succeeded())).state is JobState.SUCCEEDED
        await submitted(ledger, "bob", model="other")
        assert (await ledger.reap()).waiting == {"other": 1}
        assert (await ledger.check()).problems == ()
    finally:
        await ledger.close()
    with Redis.from_url(node.url) as client:
        slots = {client.execute_command("CLUSTER KEYSLOT", name) for name in client.scan_iter()}
    assert len(slots) == 1


async def test_bells_do_not(node: Node) -> None:
    """RQ's keys have no hash tag: no cluster is supported. Whoever mends this strikes it from docs/scaling.md."""
    bells = RqBells(Settings(redis_url=node.url))
    try:
        with pytest.raises(ClusterCrossSlotError):
            bells._ring("tiny")
    finally:
        await bells.close()
