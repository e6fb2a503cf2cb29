"""Redis' errors become ours at one edge, all of them on purpose."""

import asyncio
import inspect
from contextlib import suppress
from time import monotonic

import pytest
import uvloop
from redis import exceptions

from darkroom.errors import LedgerRefused, LedgerUnavailable
from darkroom.ledger.edge import AWAY, is_away, redis_errors

EVERY_ERROR = [kind for _, kind in inspect.getmembers(exceptions, inspect.isclass) if issubclass(kind, Exception)]


@pytest.mark.parametrize("kind", EVERY_ERROR)
def test_every_error_of_redis_is_in_the_table(kind: type[Exception]) -> None:
    assert kind in AWAY


@pytest.mark.parametrize(
    "reply",
    [
        "MISCONF Errors writing to the AOF file: No space left on device",
        "BUSY Redis is busy running a script.",
        "NOREPLICAS Not enough good replicas to write.",
        "OOM command not allowed when used memory > 'maxmemory'.",
    ],
)
def test_replies_of_a_sick_server_mean_that_it_is_away(reply: str) -> None:
    assert is_away(exceptions.ResponseError(reply))


def test_a_mistake_of_ours_is_not_called_an_outage() -> None:
    assert not is_away(exceptions.ResponseError("ERR wrong number of arguments"))
    assert not is_away(exceptions.NoScriptError("NOSCRIPT"))
    assert not is_away(ValueError("BUSY"))


@pytest.mark.parametrize("error", [exceptions.ConnectionError("gone"), ConnectionRefusedError(), TimeoutError()])
async def test_an_outage_leaves_the_edge_as_ledger_unavailable(error: Exception) -> None:
    with pytest.raises(LedgerUnavailable) as raised:
        async with redis_errors(1):
            raise error
    assert raised.value.__cause__ is error


@pytest.mark.parametrize("kind", [exceptions.AuthenticationError, exceptions.NoPermissionError])
async def test_who_is_not_let_in_is_told_from_who_meets_nobody(kind: type[Exception]) -> None:
    with pytest.raises(LedgerRefused) as raised:
        async with redis_errors(1):
            raise kind("WRONGPASS invalid")
    assert (raised.value.why, "WRONGPASS" in raised.value.detail) == ("WRONGPASS invalid", False)


async def test_a_mistake_leaves_the_edge_as_it_is() -> None:
    with pytest.raises(exceptions.DataError):
        async with redis_errors(1):
            raise exceptions.DataError("a list is no argument")


async def test_no_call_outlasts_its_patience() -> None:
    started = monotonic()
    with pytest.raises(LedgerUnavailable):
        async with redis_errors(0.05):
            await asyncio.sleep(30)
    assert monotonic() - started < 5


def test_a_connection_that_was_reset_is_an_outage_on_uvloop_too() -> None:
    """The gateway's loop has an error of its own for it, which redis-py lets through."""

    async def written_after_a_reset() -> RuntimeError:
        server = await asyncio.start_server(lambda _, theirs: theirs.transport.abort(), "127.0.0.1", 0)
        async with server:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname()[:2])
            with suppress(ConnectionError):
                await reader.read()
            writer.transport.abort()
            await asyncio.sleep(0)
            with pytest.raises(RuntimeError) as raised:
                writer.writelines([b"PING\r\n"])
            return raised.value

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert is_away(runner.run(written_after_a_reset()))
    assert not is_away(RuntimeError("a fault of ours"))
