"""A Hypothesis state machine that does the same to both ledgers and compares everything that can be seen of them.

Two workers go on using every claim they were ever given, as zombies do. Time moves by `tick`, on both sides at once.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, precondition, rule
from redis.asyncio import Redis

from darkroom.contract.job import JobState, Progress
from darkroom.contract.webhook import Attempt, DeliveryState, LentDelivery, Verdict
from darkroom.errors import DarkroomError
from darkroom.ledger.deliveries import Room
from darkroom.ledger.memory import MemoryLedger
from darkroom.ledger.protocol import Claim, Ledger, Outcome
from darkroom.ledger.redis import RedisLedger
from darkroom.ledger.rules import Rules
from darkroom.settings.quotas import Quota
from tests.integration.ledger.clocks import STILL_LUA, StillClock
from tests.integration.ledger.making import FAILED, submission, succeeded, webhook
from tests.integration.ledger.seen import attempts, deliveries_of, leftovers, taken, told

RULES = Rules(
    lease_ms=10_000,
    retry_ms=3_000,
    max_queued=7,
    outlook_tenants=2,
    max_queued_per_tenant=4,
    max_queued_ms=40_000,
    max_job_ms=30_000,
    result_ttl_ms=40_000,
    sweep=2,
)

NAMES = ("ann", "bob", "cid")
QUOTAS = st.sampled_from(
    [Quota(weight=3.0), Quota(max_queued=1), Quota(max_queued_seconds=3.0), Quota(weight=0.7, max_running=1), Quota()]
)
TENANTS = st.sampled_from(NAMES)
WORKERS = st.sampled_from(["left", "right"])
OUTCOMES = st.sampled_from([FAILED, succeeded(0.5), succeeded(7.0, images=2), Outcome(state=JobState.BLOCKED)])

VERDICTS = st.sampled_from(
    [
        Verdict(state=DeliveryState.DELIVERED),
        Verdict(state=DeliveryState.PENDING, delay=5),
        Verdict(state=DeliveryState.DEAD, reason="attempts_exhausted"),
        Verdict(state=DeliveryState.DEAD, reason="endpoint_gone", disable=True),
    ]
)

Answer = TypeVar("Answer")


class TwoLedgers(RuleBasedStateMachine):
    """`url` names the server; `prefix` is emptied before each run."""

    url: ClassVar[str]
    prefix: ClassVar[str] = "machine"

    claims: Bundle[Claim] = Bundle("claims")
    lent: Bundle[LentDelivery] = Bundle("lent")

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.run = self.loop.run_until_complete  # a runner takes Ctrl-C for itself with each of 20,000 questions
        self.jobs: dict[str, str] = {}
        self.ended: dict[str, JobState] = {}

    @initialize()
    def open(self) -> None:
        self.client = Redis.from_url(self.url, decode_responses=True)
        self.run(self.client.flushdb())
        self.clock = self.run(StillClock.on_server(self.client, self.prefix))
        self.memory = MemoryLedger(RULES, self.clock)
        self.redis = RedisLedger(self.url, prefix=self.prefix, rules=RULES, clock=STILL_LUA)

    def teardown(self) -> None:
        self.run(self.redis.close())
        self.run(self.client.aclose())
        self.loop.close()

    def both(self, call: Callable[[Ledger], Awaitable[Answer]]) -> Answer | None:
        """The one answer of both ledgers; None when both refused in the same words."""
        expected, got = self.run(_answer(call(self.memory))), self.run(_answer(call(self.redis)))
        assert got == expected
        return None if isinstance(got, Refused) else got

    # --- what may happen -------------------------------------------------------------------------------------------

    @rule(
        tenant=TENANTS,
        model=st.sampled_from(["tiny", "other"]),
        priority=st.sampled_from(["interactive", "bulk"]),
        seconds=st.sampled_from([1.0, 2.5]),
        wait=st.sampled_from([None, None, 5.0, 30.0]),
    )
    def submit(self, tenant: str, model: str, priority: str, seconds: float, wait: float | None) -> None:
        deadline = None if wait is None else self.clock.now + wait
        self._submit(tenant, model=model, priority=priority, predicted_seconds=seconds, deadline_at=deadline)

    @rule(tenant=TENANTS, seconds=st.sampled_from([0.0004, 12.0, 60.0]), quota=QUOTAS)
    def submit_with_a_quota(self, tenant: str, seconds: float, quota: Quota) -> None:
        self._submit(tenant, predicted_seconds=seconds, quota=quota)

    @rule(tenant=TENANTS, key=st.sampled_from(["k", "l"]), body=st.sampled_from(["one", "two"]))
    def submit_with_a_key(self, tenant: str, key: str, body: str) -> None:
        self._submit(tenant, key=key, body=body)

    def _submit(self, tenant: str, **wanted: Any) -> None:
        host = f"{len(self.jobs) % 2}.test"
        asked = submission(tenant, job_id=f"01K{len(self.jobs):023d}", webhook=webhook(host), **wanted)
        answer = self.both(lambda ledger: ledger.submit(asked))
        if answer and not answer.replayed:
            self.jobs[asked.job_id] = tenant

    @rule(tenant=TENANTS, key=st.sampled_from(["k", "l"]), body=st.sampled_from(["one", "two"]))
    def ask_by_a_key(self, tenant: str, key: str, body: str) -> None:
        self.both(lambda ledger: ledger.replay(tenant, key, body))

    @rule(target=claims, worker=WORKERS, models=st.sampled_from([["tiny"], ["other", "tiny"]]), room=st.integers(1, 3))
    def claim(self, worker: str, models: list[str], room: int) -> Any:
        return multiple(*(self.both(lambda ledger: ledger.claim(worker, models, room)) or []))

    @rule(claim=claims)
    def renew(self, claim: Claim) -> None:
        self.both(lambda ledger: ledger.renew("left", {claim.job_id: claim.attempt}))

    @rule(claim=claims, step=st.integers(1, 4))
    def report(self, claim: Claim, step: int) -> None:
        self.both(lambda ledger: ledger.report((claim.job_id, claim.attempt, Progress(step=step, steps=4))))

    @rule(claim=claims, outcome=OUTCOMES)
    def finish(self, claim: Claim, outcome: Outcome) -> None:
        self.both(lambda ledger: ledger.finish(claim.job_id, claim.attempt, outcome))

    @rule(claim=claims)
    def release(self, claim: Claim) -> None:
        self.both(lambda ledger: ledger.release(claim.job_id, claim.attempt))

    @precondition(lambda self: self.jobs)
    @rule(tenant=TENANTS, data=st.data())
    def cancel(self, tenant: str, data: st.DataObject) -> None:
        job_id = data.draw(st.sampled_from(sorted(self.jobs)))
        self.both(lambda ledger: ledger.cancel(tenant, job_id))

    @rule(worker=WORKERS, how=st.sampled_from(["child died: signal 9", 'child killed: "\\/" %s']))
    def a_worker_is_known_to_be_dead(self, worker: str, how: str) -> None:
        self.both(lambda ledger: ledger.abandon(worker, how))

    @rule(worker=WORKERS)
    def a_worker_dies(self, worker: str) -> None:
        """What must be run alone is otherwise too rare to be looked at closely."""
        self.a_worker_is_known_to_be_dead(worker, "child died: signal 9")
        self.reap()

    @rule(worker=WORKERS, models=st.sampled_from([["tiny"], ["other", "tiny"], []]))
    def attend(self, worker: str, models: list[str]) -> None:
        self.both(lambda ledger: ledger.attend(worker, models))

    @rule(target=lent, free=st.integers(1, 3))
    def take(self, free: int) -> Any:
        room = Room(free=free, per_lane=2, per_tenant=3)
        return multiple(*(self.both(lambda ledger: ledger.deliveries.take(room, 10, {"0.test ann": 1})) or []))

    @rule(one=lent, verdict=VERDICTS)
    def note(self, one: LentDelivery, verdict: Verdict) -> None:
        attempt = Attempt(number=one.number, at=1.5, status=500, fault=None, milliseconds=3)
        self.both(lambda ledger: ledger.deliveries.note(one.id, attempt, verdict))
        self.both(lambda ledger: ledger.deliveries.seal(one.id, f"attempt {one.number}"))

    @rule(one=lent, tenant=TENANTS)
    def replay(self, one: LentDelivery, tenant: str) -> None:
        self.both(lambda ledger: ledger.deliveries.replay(tenant, [one.id]))

    @rule(tenant=TENANTS)
    def enable(self, tenant: str) -> None:
        self.both(lambda ledger: ledger.deliveries.disabled(tenant))
        self.both(lambda ledger: ledger.deliveries.enable(tenant, webhook("0.test").url))

    @rule(tenant=TENANTS, most=st.sampled_from([1, 3, 7]))
    def spend(self, tenant: str, most: int) -> None:
        self.both(lambda ledger: ledger.spend({tenant: most, "here": 7}))

    @rule()
    def reap(self) -> None:
        self.both(lambda ledger: ledger.reap())

    @rule(done=st.booleans())
    def take_leftovers(self, done: bool) -> None:
        self.both(lambda ledger: taken(ledger, done))

    @rule(seconds=st.sampled_from([1, 4, 10, 45]))
    def tick(self, seconds: int) -> None:
        self.run(self.clock.advance(seconds))

    @rule()
    def an_age_passes(self) -> None:
        """What ended is forgotten at once: rare enough by `tick` and `reap` alone to be missed by a short run."""
        self.tick(45)
        self.reap()

    # --- what must hold --------------------------------------------------------------------------------------------

    @invariant()
    def both_tell_the_same(self) -> None:
        if not hasattr(self, "redis"):
            return
        self.both(lambda ledger: ledger.workloads())
        self.both(leftovers)
        self.both(lambda ledger: ledger.serving())
        for tenant in NAMES:
            self.both(lambda ledger, tenant=tenant: ledger.jobs(tenant, limit=50))
            self.both(lambda ledger, tenant=tenant: ledger.jobs(tenant, limit=50, dead=True))
            self.both(lambda ledger, tenant=tenant: attempts(ledger, tenant))
        self.both(lambda ledger: ledger.deliveries.backlog())
        for job_id in self.jobs:
            self.both(lambda ledger, job_id=job_id: told(ledger, job_id))
        self.both(lambda ledger: ledger.foresee(sorted(self.jobs)))

    @invariant()
    def an_end_is_final_and_told_once(self) -> None:
        if not hasattr(self, "redis"):
            return
        ends = [delivery.job_id for tenant in NAMES for delivery in self.run(deliveries_of(self.redis, tenant))]
        assert len(ends) == len(set(ends))
        for tenant in NAMES:
            for job in self.run(self.redis.jobs(tenant, limit=50)).jobs:
                assert self.ended.get(job.id, job.state) is job.state
                assert (job.id in ends) == job.state.terminal
                if job.state.terminal:
                    self.ended[job.id] = job.state

    @invariant()
    def each_job_is_in_one_place(self) -> None:
        if hasattr(self, "redis"):
            self.run(self._look_for_jobs())

    async def _look_for_jobs(self) -> None:
        """Behind the ledger's back: its lines, leases and ends partition the jobs, and nothing empty stays."""
        tag = f"{{{self.prefix}}}:"
        lines = [key async for key in self.client.scan_iter(f"{tag}line:*")]
        queued = [job_id for line in lines for job_id in await self.client.zrange(line, 0, -1)]
        queued += await self.client.zrange(f"{tag}delayed", 0, -1)
        running = await self.client.zrange(f"{tag}leases", 0, -1)
        hands = [await self.client.smembers(key) async for key in self.client.scan_iter(f"{tag}held:*")]
        assert sorted(job_id for hand in hands for job_id in hand) == sorted(running)
        ended = [member.partition(":")[0] for member in await self.client.zrange(f"{tag}ended", 0, -1)]
        records = [key.removeprefix(f"{tag}job:") async for key in self.client.scan_iter(f"{tag}job:*")]
        assert sorted(queued + running + ended) == sorted(records)
        assert {key.rpartition(":")[2] async for key in self.client.scan_iter(f"{tag}bodies:*")} <= {*records}
        seats: dict[str, float] = {}
        async for key in self.client.scan_iter(f"{tag}turn:*"):
            seated = [member.split(" ") for member in await self.client.zrange(key, 0, -1)]
            seats |= {f"{key.replace('turn:', 'line:', 1)}:{who}": float(place) for place, who in seated}
        assert seats == {line: (await self.client.zrange(line, 0, 0, withscores=True))[0][1] for line in lines}

    @invariant()
    def tenants_have_used_the_same(self) -> None:
        if hasattr(self, "redis"):
            self.run(self._look_at_accounts())

    async def _look_at_accounts(self) -> None:
        """To the last bit: what differs here would change who is served only much later."""
        tag = f"{{{self.prefix}}}:account:"
        used = {}
        async for key in self.client.scan_iter(f"{tag}*"):
            priority, model, tenant = key.removeprefix(tag).split(":")
            used[model, priority, tenant] = float(await self.client.hget(key, "seconds"))
        expected = {key: account.seconds for key, account in self.memory.lines.accounts.items()}
        assert {key: seconds for key, seconds in used.items() if seconds} == {k: s for k, s in expected.items() if s}


class Refused(tuple[object, ...]):
    """An error as something to compare."""


async def _answer(call: Awaitable[Answer]) -> Answer | Refused:
    try:
        return await call
    except DarkroomError as error:
        return Refused((type(error), error.detail))
