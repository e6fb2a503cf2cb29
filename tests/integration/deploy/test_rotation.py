"""Passwords of Redis' users, changed while processes work, as docs/rotation.md has it."""

import hashlib
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import AuthenticationError, RedisError

from darkroom.errors import LedgerRefused, LedgerUnavailable
from darkroom.ledger.redis import RedisLedger
from darkroom.ledger.server import find_server_binary, free_port
from darkroom.services.redis_users import acl_file, fresh_passwords
from tests.integration.ledger.making import submission
from tests.until import until

pytestmark = pytest.mark.slow
NEW = "another-password"


class Server:
    def __init__(self, folder: Path) -> None:
        self.passwords, self.port, self.acl = fresh_passwords(), free_port(), folder / "users.acl"
        self.acl.write_text(acl_file("darkroom", self.passwords))
        command = [find_server_binary(), "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(folder)]
        self.popen = subprocess.Popen([*command, "--aclfile", str(self.acl), "--save", ""], stdout=subprocess.DEVNULL)

    def url(self, role: str, password: str) -> str:
        return f"redis://{role}:{password}@127.0.0.1:{self.port}/0"

    def ledger(self, password: str) -> RedisLedger:
        return RedisLedger(self.url("gateway", password))


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    server = Server(tmp_path)
    try:
        await until(lambda: _answers(server), 30)
        yield server
    finally:
        server.popen.kill()
        server.popen.wait()


def _answers(server: Server) -> bool:
    with Redis.from_url(server.url("operator", server.passwords["operator"]), decode_responses=True) as client:
        try:
            return bool(client.ping())
        except RedisError:
            return False


async def test_both_passwords_hold_until_the_old_one_is_taken_and_whoever_used_it_is_out(server: Server) -> None:
    old = server.passwords["gateway"]
    working = server.ledger(old)
    await working.submit(submission())
    with Redis.from_url(server.url("operator", server.passwords["operator"]), decode_responses=True) as operator:
        operator.execute_command("ACL", "SETUSER", "gateway", f">{NEW}")
        renewed = server.ledger(NEW)
        await renewed.submit(submission())
        await working.submit(submission())
        operator.execute_command("ACL", "SETUSER", "gateway", f"<{old}")
        await working.submit(submission())  # its connection is still open
        operator.execute_command("CLIENT", "KILL", "USER", "gateway")
        assert await _end(working) is LedgerRefused
        assert await _end(renewed) is None
        operator.execute_command("ACL", "SAVE")
    (line,) = [line for line in server.acl.read_text().splitlines() if line.startswith("user gateway ")]
    assert (f"#{_digest(NEW)} " in line, f"#{_digest(old)}" in line) == (True, False)
    for ledger in (working, renewed):
        await ledger.close()


async def test_a_line_with_two_passwords_is_taken_from_the_file_while_it_runs(server: Server) -> None:
    old = server.passwords["gateway"]
    text = server.acl.read_text()
    server.acl.write_text(text.replace(f"#{_digest(old)}", f"#{_digest(old)} #{_digest(NEW)}"))
    with Redis.from_url(server.url("operator", server.passwords["operator"]), decode_responses=True) as operator:
        operator.execute_command("ACL", "LOAD")
    for password in (old, NEW):
        with Redis.from_url(server.url("gateway", password)) as client:
            assert client.ping()
    with Redis.from_url(server.url("gateway", "neither")) as client, pytest.raises(AuthenticationError):
        client.ping()


async def _end(ledger: RedisLedger) -> type[LedgerUnavailable] | None:
    """What becomes of a call in the end: each connection that was cut is found out by one."""
    end: type[LedgerUnavailable] | None = None
    for _ in range(4):
        try:
            await ledger.submit(submission())
            return None
        except LedgerUnavailable as error:
            end = type(error)
    return end


def _digest(password: str) -> str:
    return hashlib.sha256(password.encode()).hexdigest()
