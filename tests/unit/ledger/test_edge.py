"""Redis' errors become ours at one edge, all of them on purpose."""

import asyncio
import inspect
from time import monotonic

import pytest
from redis import exceptions

from darkroom.errors import LedgerUnavailable
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
