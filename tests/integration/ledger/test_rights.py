"""What a user of Redis may do is asked at the start, and not found out by a job."""

import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from darkroom.errors import LedgerRefused
from darkroom.ledger.commands import _UNASKED, commands
from darkroom.ledger.redis import RedisLedger
from darkroom.ledger.server import find_server_binary, free_port
from darkroom.services.redis_users import OPERATOR, ROLES, acl_file, fresh_passwords
from tests.until import until

pytestmark = pytest.mark.slow
PASSWORDS = fresh_passwords()


@pytest.fixture
async def port(tmp_path: Path) -> AsyncIterator[int]:
    port, acl = free_port(), tmp_path / "users.acl"
    acl.write_text(acl_file("darkroom", PASSWORDS))
    command = [find_server_binary(), "--port", str(port), "--bind", "127.0.0.1", "--dir", str(tmp_path), "--save", ""]
    with (tmp_path / "log").open("wb") as log:
        server = subprocess.Popen([*command, "--aclfile", str(acl)], stdout=log, stderr=log)
    try:
        await until(lambda: b"Ready to accept" in (tmp_path / "log").read_bytes(), 30)
        yield port
        assert server.poll() is None, "it was asked, and lives"
    finally:
        server.kill()
        server.wait()


def ledger(port: int, user: str, prefix: str = "darkroom") -> RedisLedger:
    return RedisLedger(f"redis://{user}:{PASSWORDS[user]}@127.0.0.1:{port}/0", prefix=prefix)


@pytest.mark.parametrize("user", [*ROLES, OPERATOR])
async def test_every_role_may_do_what_the_ledger_needs(user: str, port: int) -> None:
    asked = ledger(port, user)
    assert (await asked.check()).problems == ()
    await asked.close()


async def test_each_command_that_a_user_lacks_is_named(port: int) -> None:
    asked, operator = ledger(port, "gateway"), Redis(port=port, username=OPERATOR, password=PASSWORDS[OPERATOR])
    for command in set(commands()) - set(_UNASKED):
        await operator.execute_command("ACL", "SETUSER", "gateway", f"-{command}")
        if command != "info":  # by which all of it is asked
            (said,) = (await asked.check()).problems
            assert said.startswith(f"Redis does not let this user do {command.upper()} on our keys: ")
        await operator.execute_command("ACL", "SETUSER", "gateway", f"+{command}")
    await operator.aclose()
    await asked.close()


async def test_a_user_of_other_keys_is_refused(port: int) -> None:
    asked = ledger(port, "gateway", prefix="another")
    with pytest.raises(LedgerRefused) as raised:
        await asked.check()
    assert "key" in raised.value.why
    await asked.close()
