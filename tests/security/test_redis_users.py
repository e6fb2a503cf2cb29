"""Users of Redis: each role can do its work, and cannot do more (attack: who writes Redis owns the service)."""

import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, NoPermissionError, RedisError
from redis.retry import Retry
from rq import Queue

from darkroom import ledger
from darkroom.cli.app import run
from darkroom.contract.job import JobState
from darkroom.contract.webhook import Attempt, DeliveryState, Verdict
from darkroom.errors import ConfigurationError
from darkroom.ledger import lua
from darkroom.ledger.deliveries import Room, Wanted
from darkroom.ledger.redis import RedisLedger
from darkroom.ledger.server import find_server_binary, free_port
from darkroom.queue import RqBells, rebell
from darkroom.services.redis_users import OPERATOR, ROLES, acl_file, fresh_passwords
from darkroom.settings import Settings
from tests.integration.ledger.making import DIED, submission, succeeded, webhook
from worker import tasks
from worker.bell import BellListener

PREFIX = "darkroom"
PASSWORDS = fresh_passwords()

# What nobody but a person may do. Keys `other:*` belong to somebody else.
FORBIDDEN = """
FLUSHALL; FLUSHDB; KEYS *; SCAN 0; RANDOMKEY; DBSIZE; CONFIG GET requirepass; CONFIG SET maxmemory 1; ACL LIST; SAVE;
ACL SETUSER evil on nopass ~* +@all; MODULE LIST; MONITOR; SHUTDOWN NOSAVE; REPLICAOF 127.0.0.1 1; SWAPDB 0 1;
CLIENT LIST; CLIENT KILL TYPE normal; SCRIPT FLUSH; FUNCTION LIST; SLOWLOG GET; MIGRATE 127.0.0.1 1 x 0 1;
GET other:a; SET other:a 1; HGETALL other:a; DEL other:a; RENAME other:a b; SORT other:a; RESTORE x 0 y;
SUBSCRIBE other; PSUBSCRIBE *; EVAL return(redis.call('FLUSHALL')) 0; EVAL return(redis.call('HGETALL','other:a')) 0;
EVAL return(redis.call('HSET','other:a','b','c')) 0; EVAL return(redis.call('PUBLISH','other','a')) 0
"""
# Who only rings may not stand in for a worker, nor tell one what to do.
WORKERS_ONLY = """
BLPOP rq:queue:generate.tiny 1; HSET rq:worker:evil state idle; SADD rq:workers evil; PUBLISH rq:pubsub:a x;
SADD rq:workers:generate.tiny evil; HGETALL rq:results:a; HGETALL rq:worker:a
"""


def commands_in(text: str) -> list[str]:
    return [command.strip() for command in text.split(";") if command.strip()]


class Server:
    """A Valkey that knows the users of an ACL file."""

    def __init__(self, folder: Path, acl: Path) -> None:
        self.port = free_port()
        options = {"port": str(self.port), "dir": str(folder), "bind": "127.0.0.1", "save": "", "aclfile": str(acl)}
        words = [word for name, value in options.items() for word in (f"--{name}", value)]
        self.process = subprocess.Popen([find_server_binary(), *words], stdout=subprocess.DEVNULL)

    def url(self, user: str) -> str:
        return f"redis://{user}:{PASSWORDS[user]}@127.0.0.1:{self.port}/0"

    def client(self, user: str) -> "Redis[str]":
        return Redis.from_url(self.url(user), decode_responses=True, retry=Retry(NoBackoff(), 0))

    def denials(self) -> list[Any]:
        with self.client(OPERATOR) as operator:
            denied = operator.acl_log()
            operator.acl_log_reset()
        return [(entry["username"], entry["reason"], entry["object"]) for entry in denied]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("guarded")
    acl = folder / "users.acl"
    acl.write_text(acl_file(PREFIX, PASSWORDS))
    server = Server(folder, acl)
    try:
        for _ in range(500):
            try:
                server.denials()
                break
            except (RedisError, OSError):
                assert server.process.poll() is None
                signal.sigtimedwait([], 0.02)
        yield server
    finally:
        server.process.kill()
        server.process.wait()


@pytest.fixture(autouse=True)
def _signals() -> Iterator[None]:
    kept = [(number, signal.getsignal(number)) for number in (signal.SIGINT, signal.SIGTERM)]
    yield
    for number, handler in kept:
        signal.signal(number, handler)


def ledger_of(server: Server, role: str) -> RedisLedger:
    return RedisLedger(server.url(role), prefix=PREFIX)


@pytest.mark.slow
async def test_each_role_can_do_all_of_its_work(server: Server) -> None:
    gateway, worker, courier = (ledger_of(server, role) for role in ROLES)
    ringing = {role: RqBells(Settings(redis_url=server.url(role))) for role in ROLES}
    served: list[str] = []

    class Serving:
        def serve(self, model: str) -> None:
            served.append(model)

    try:
        for ledger in (gateway, worker, courier):
            assert (await ledger.check()).problems == ()
        done, dropped = [(await gateway.submit(submission(key=key, webhook=webhook()))).job for key in ("one", "two")]
        await gateway.events(done.id, wait=0.05)
        await gateway.foresee([done.id])
        await gateway.jobs(done.tenant, limit=5)
        await gateway.spend({"lookup tenant a": 5})
        assert await gateway.prefer(done.tenant, "a1111", {"skip": 2}) == {"skip": 2}
        await gateway.cancel(dropped.tenant, dropped.id)
        await ringing["gateway"].ring(done.plan.model)

        await worker.attend("w", [done.plan.model])
        (claim,) = await worker.claim("w", [done.plan.model], 1)
        await worker.renew("w", {claim.job_id: claim.attempt})
        await worker.release(claim.job_id, claim.attempt)
        (claim,) = await worker.claim("w", [done.plan.model], 1)
        await worker.show_preview(claim.job_id, claim.attempt, 0, b"frame")
        assert await gateway.preview(done.tenant, done.id, 0) == b"frame"
        await worker.reap()
        await worker.finish(claim.job_id, claim.attempt, succeeded())
        await worker.abandon("w", DIED)
        tasks.bind(Serving())
        with Redis.from_url(server.url("worker")) as connection:
            BellListener([done.plan.model], connection, lambda: None).work(burst=True)
        assert served == [done.plan.model]

        await courier.reap()
        await rebell(courier, ringing["courier"])
        room = Room(free=9, per_lane=9, per_tenant=9)
        lent = {one.job_id: one.id for one in await courier.deliveries.take(room, 30, {})}
        tried = Attempt(number=1, at=1.5, status=410, fault=None, milliseconds=3)
        gone = Verdict(state=DeliveryState.DEAD, reason="endpoint_gone", disable=True)
        assert await courier.deliveries.seal(lent[done.id], "{}") == "{}"
        assert await courier.deliveries.note(lent[done.id], tried, gone)
        assert await courier.deliveries.drop(lent[dropped.id])
        assert len((await gateway.deliveries.list(done.tenant, Wanted(), limit=5)).deliveries) == 2
        assert (await gateway.deliveries.get(done.tenant, lent[done.id]))[1] == (tried,)
        (url,) = await gateway.deliveries.disabled(done.tenant)
        assert await gateway.deliveries.enable(done.tenant, url)
        await gateway.deliveries.replay(done.tenant, [lent[done.id]])
        assert (await gateway.deliveries.backlog()).pending == 1
        await courier.leftovers_done(*(row for row, _ in await courier.take_leftovers("0", 9, 10)), "1-1")
        await gateway.serving()
        assert (await gateway.get(done.tenant, done.id)).state is JobState.SUCCEEDED
    finally:
        tasks.bind(None)
        for closing in (*ringing.values(), gateway, worker, courier):
            await closing.close()
    denied = [entry for entry in server.denials() if entry[2] != "config|get"]  # asked once, and done without
    assert denied == []


@pytest.mark.slow
@pytest.mark.parametrize("role", ROLES)
def test_no_role_can_do_more(server: Server, role: str) -> None:
    forbidden = commands_in(FORBIDDEN) + (commands_in(WORKERS_ONLY) if role != "worker" else [])
    with server.client(role) as client:
        for command in forbidden:
            with pytest.raises(RedisError) as raised:
                client.execute_command(*command.split(" "))
            refused = isinstance(raised.value, NoPermissionError) or "ACL" in str(raised.value)
            assert refused, (command, raised.value)
    server.denials()


@pytest.mark.slow
@pytest.mark.parametrize("url", ["redis://127.0.0.1", "redis://gateway:wrong@127.0.0.1", "redis://default:@127.0.0.1"])
def test_nobody_comes_in_without_the_password_of_a_role(server: Server, url: str) -> None:
    head, _, host = url.rpartition("127.0.0.1")
    with Redis.from_url(f"{head}127.0.0.1:{server.port}{host}") as client, pytest.raises(AuthenticationError):
        client.get("{darkroom}:turns")


@pytest.mark.slow
def test_a_job_of_rq_that_is_no_bell_is_not_run_however_it_came_there(server: Server, tmp_path: Path) -> None:
    """Who has stolen the password of a gateway may write into RQ's queues, and gets nothing run."""
    proof = tmp_path / "owned"
    with Redis.from_url(server.url("gateway")) as stolen, Redis.from_url(server.url("worker")) as connection:
        Queue("generate.evil", connection=stolen, serializer="json").enqueue("os.system", f"touch {proof}")
        BellListener(["evil"], connection, lambda: None).work(burst=True)
        assert connection.llen("rq:queue:generate.evil") == 0, "nobody looked at it"
    assert not proof.exists()


def asked_directly() -> set[str]:
    """Commands that the ledger's own code sends, besides those of scripts."""
    text = "".join(path.read_text() for path in Path(ledger.__file__).parent.glob("redis*.py"))
    named = set(re.findall(r"\b(?:_client|client|pipeline)\.([a-z]+)\(", text))
    return named - {"pipeline", "execute", "aclose", "pubsub"}


def test_every_command_that_the_ledger_sends_is_granted() -> None:
    assert {"hgetall", "lrange", "xrange"} <= asked_directly()
    for line in acl_file(PREFIX, PASSWORDS).splitlines():
        if line.split()[1] in ROLES:
            assert {f"+{command}" for command in asked_directly()} <= set(line.split())


def test_every_command_that_a_script_calls_is_granted() -> None:
    users = {line.split()[1]: line.split() for line in acl_file(PREFIX, PASSWORDS).splitlines()}
    called = {
        word.split("'")[0]
        for name in (*lua.SCRIPTS, *lua.DELIVERY_SCRIPTS)
        for word in lua.source(name).split("redis.call('")[1:]
    }
    assert len(called) > 10
    for role in ROLES:
        assert {f"+{command.lower()}" for command in called} <= set(users[role])
        assert not {"+@all", "~*", "&*", "allkeys"} & set(users[role])


def test_the_file_holds_no_password_and_no_second_one_overwrites_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "users.acl"
    assert run(["redis-users", str(file)]) == 0
    shown = capsys.readouterr().out
    shown_passwords = [line.partition(f"{role}:")[2].partition("@")[0] for role in ROLES for line in shown.split("\n")]
    assert len([word for word in shown_passwords if word]) == len(ROLES)
    assert not [word for word in shown_passwords if word and word in file.read_text()]
    assert file.stat().st_mode & 0o077 == 0
    before = file.read_text()
    assert run(["redis-users", str(file)]) != 0
    assert file.read_text() == before


@pytest.mark.parametrize("prefix", ["*", "a b", "", "a[b]", "a\n"])
def test_a_prefix_that_is_a_pattern_makes_no_users(prefix: str) -> None:
    with pytest.raises(ConfigurationError, match="KEY_PREFIX"):
        acl_file(prefix, PASSWORDS)
