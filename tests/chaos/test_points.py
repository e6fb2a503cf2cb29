"""Each crash point is passed in a real run, kills there, and leaves nothing lost and nothing twice."""

import asyncio
import hashlib
import json
import subprocess
import sys
from itertools import count
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from darkroom.contract.job import JobState, picture_keys
from darkroom.contract.webhook import Webhook
from darkroom.ledger.redis import RedisLedger
from darkroom.ledger.server import LocalRedis, free_port
from darkroom.settings import Settings
from darkroom.settings.safety import Policies
from tests.chaos.stage import Process, environment
from tests.e2e.worker.service import Service
from tests.gateway import API_KEYS, GENERATIONS, bearer
from tests.integration.ledger.making import FAILED, claimed, submission
from tests.receiver import LOOPBACK, SECRET, receiving
from tests.servers.posts import served
from tests.until import until

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
SIGKILL = -9
# Each child first ends the job that the one before died over, and dies over the next.
DEATHS = ("after_claim:1", "mid_step:3", "after_watermark:2", "after_upload:2", "after_finish:2")


class Crashing(Service):
    """A worker whose first children are armed."""

    deaths = DEATHS

    def start(self) -> None:
        with self.log.open("ab") as output:
            self.supervisor = subprocess.Popen(
                [sys.executable, "-m", "tests.chaos.crashing", "1", "0", "forked", *self.deaths],
                cwd=ROOT,
                env=environment(self.settings),
                stdout=output,
                stderr=output,
            )


async def test_a_worker_that_dies_at_any_point_costs_one_attempt_and_its_job_ends_once(
    tmp_path: Path, valkey: LocalRedis, key_prefix: str
) -> None:
    service = Crashing(tmp_path, valkey.url, key_prefix)
    service.start()
    try:
        for number, at in enumerate(DEATHS):
            job = await service.ended(await service.submit(steps=2, seed=number), 120)
            survived = at.startswith("after_finish")
            assert (job.state, job.attempt) == (JobState.SUCCEEDED, 1 if survived else 2), service.log.read_text()[
                -2000:
            ]
            again = [] if survived else ["requeued", "running"]
            assert await service.story(job.id) == ["queued", "running", *again, "succeeded"]
            (artifact,) = job.artifacts
            stored = (service.settings.folder_root / artifact.key).read_bytes()
            assert hashlib.sha256(stored).hexdigest() == artifact.sha256
        await until(lambda: len(_deaths(tmp_path)) == len(DEATHS), 30)
        assert _deaths(tmp_path) == [(at, SIGKILL) for at in DEATHS]
    finally:
        await service.close()


class CrashingOverVerdicts(Crashing):
    deaths = ("after_verdict:1", "after_verdict:4")  # over a job's first verdict, and over the last of the next job


async def test_a_worker_that_dies_between_verdict_and_last_word_lets_nothing_out_and_the_next_one_looks_again(
    tmp_path: Path, valkey: LocalRedis, key_prefix: str
) -> None:
    looks = count()

    def flags_one_in_two(_: bytes) -> tuple[int, bytes]:
        return 200, json.dumps({"categories": {"sexual": (0.1, 0.9)[next(looks) % 2]}}).encode()

    with served(flags_one_in_two) as hook:
        guarded = {"safety": Policies(output="block"), "safety_hook_url": hook.url, "safety_open_nsfw": "off"}
        service = CrashingOverVerdicts(tmp_path, valkey.url, key_prefix, **guarded)
        service.start()
        try:
            for number in (1, 2):
                job = await service.ended(await service.submit(steps=2, n=2), 120)
                assert (job.state, job.attempt, job.artifacts) == (JobState.BLOCKED, 2, ())
                story = ["queued", "running", "requeued", "running", "blocked"]
                assert await service.story(job.id) == story
                assert len(hook.asked) == 4 * number, "both pictures, by both attempts"
                leftovers = [keys for _, keys in await service.ledger.leftovers()]
                assert leftovers[-1] == picture_keys(job.id, job.plan)
            assert _deaths(tmp_path) == [(at, SIGKILL) for at in CrashingOverVerdicts.deaths]
            assert [path.name for path in tmp_path.rglob("*") if _shows(path)] == []
        finally:
            await service.close()


def _shows(file: Path) -> bool:
    """Whether it is a picture, one in the spool, or a record of one."""
    return file.is_file() and ({"images", "spool", "provenance"} & set(file.parts)) != set() and file.name != ".lock"


def _deaths(home: Path) -> list[tuple[str, int]]:
    lives = [json.loads(line) for line in (home / "lives.jsonl").read_text().splitlines()]
    armed = {life["worker"]: life["crash_at"] for life in lives if life["event"] == "born"}
    return [(armed[life["worker"]], life["code"]) for life in lives if life["event"] == "died"]


def process(name: str, command: str, settings: Settings) -> Process:
    return Process(name, (sys.executable, "-P", "-m", "darkroom", command), settings, settings.home / f"{name}.log")


async def test_a_gateway_that_dies_between_commit_and_reply_answers_the_same_key_with_the_same_job(
    tmp_path: Path, valkey: LocalRedis, key_prefix: str
) -> None:
    settings = Settings(
        home=tmp_path, redis_url=SecretStr(valkey.url), key_prefix=key_prefix, port=free_port(), api_keys=API_KEYS
    )
    gateway = process("gateway", "api", settings)
    gateway.crash_points, gateway.share = {"after_commit_before_reply": 1}, 1.0
    ledger = RedisLedger.from_settings(settings)
    base, headers = f"http://127.0.0.1:{settings.port}", {**bearer("alice"), "Idempotency-Key": "one"}
    gateway.start()
    try:
        async with httpx.AsyncClient(base_url=base, headers=headers, trust_env=False, timeout=20) as client:
            await _listening(client)
            with pytest.raises(httpx.TransportError):
                await client.post(GENERATIONS, json={"prompt": "a red circle"})
            assert gateway.popen is not None
            assert await asyncio.to_thread(gateway.popen.wait, 10) == SIGKILL
            (committed,) = (await ledger.jobs("alice", limit=10)).jobs
            gateway.share = 0.0
            gateway.start()
            await _listening(client)
            answer = await client.post(GENERATIONS, json={"prompt": "a red circle"})
            assert (answer.status_code, answer.headers["Idempotency-Replayed"]) == (202, "true")
            assert answer.json()["id"] == committed.id
            assert len((await ledger.jobs("alice", limit=10)).jobs) == 1
    finally:
        gateway.stop()
        await ledger.close()


async def _listening(client: httpx.AsyncClient) -> None:
    async with asyncio.timeout(60):
        while True:
            try:
                await client.get("/livez")
            except httpx.TransportError:
                await asyncio.sleep(0.05)
            else:
                return


async def test_a_courier_that_dies_before_it_notes_what_it_sent_sends_it_again_under_the_same_id(
    tmp_path: Path, valkey: LocalRedis, key_prefix: str
) -> None:
    async with receiving() as receiver:
        settings = Settings(
            home=tmp_path,
            redis_url=SecretStr(valkey.url),
            key_prefix=key_prefix,
            outbound_allow=(LOOPBACK,),
            outbound_ports=(receiver.port,),
            webhook_secrets={"ann": (SecretStr(SECRET),)},
            webhook_timeout=2.0,
        )
        ledger = RedisLedger.from_settings(settings)
        courier = process("courier", "courier", settings)
        courier.crash_points, courier.share = {"webhook_sent_unmarked": 1}, 1.0
        courier.start()
        try:
            webhook = Webhook(
                url=receiver.url, host="127.0.0.1", base="http://here.test", events=("generation.failed",)
            )
            await ledger.submit(submission("ann", webhook=webhook))
            claim = await claimed(ledger)
            await ledger.finish(claim.job_id, claim.attempt, FAILED)
            await receiver.got(1, 60)
            assert courier.popen is not None
            assert await asyncio.to_thread(courier.popen.wait, 10) == SIGKILL
            courier.share = 0.0
            courier.start()
            first, second = await receiver.got(2, 60)
            assert (first.id, first.body) == (second.id, second.body)
        finally:
            courier.stop()
            await ledger.close()
