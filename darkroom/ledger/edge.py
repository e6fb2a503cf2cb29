"""The one place where Redis' errors become ours, by a table, and where no call outlasts the promised patience."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final

from redis import exceptions as redis

from darkroom.errors import LedgerRefused, LedgerUnavailable

# True: the server is away, full, not in charge or not letting us in; the same call may work later.
# False: a mistake of ours, which must be seen as such and not retried by callers.
AWAY: Final[Mapping[type[BaseException], bool]] = {
    redis.ConnectionError: True,
    redis.TimeoutError: True,
    redis.BusyLoadingError: True,
    redis.MaxConnectionsError: True,
    redis.InvalidResponse: True,
    redis.AuthenticationError: True,
    redis.AuthenticationWrongNumberOfArgsError: True,
    redis.AuthorizationError: True,
    redis.ExternalAuthProviderError: True,
    redis.NoPermissionError: True,
    redis.OutOfMemoryError: True,
    redis.ReadOnlyError: True,
    redis.ClusterError: True,
    redis.ClusterDownError: True,
    redis.MasterDownError: True,
    redis.SlotNotCoveredError: True,
    redis.AskError: True,
    redis.MovedError: True,
    redis.TryAgainError: True,
    redis.RedisError: False,
    redis.ResponseError: False,
    redis.DataError: False,
    redis.PubSubError: False,
    redis.WatchError: False,
    redis.NoScriptError: False,
    redis.ExecAbortError: False,
    redis.ModuleError: False,
    redis.NoSuchFieldsetError: False,
    redis.LockError: False,
    redis.LockNotOwnedError: False,
    redis.ChildDeadlockedError: False,
    redis.RedisClusterException: False,
    redis.ClusterCrossSlotError: False,
    redis.CrossSlotTransactionError: False,
    redis.InvalidPipelineStack: False,
    redis.IncorrectPolicyType: False,
    OSError: True,
    TimeoutError: True,
}

# Of those that are away: it is there, and what we were given to come in with is wrong, or may do too little.
REFUSALS: Final = (
    redis.AuthenticationError,
    redis.AuthenticationWrongNumberOfArgsError,
    redis.AuthorizationError,
    redis.NoPermissionError,
)

AWAY_WORDS: Final = "the job ledger is away; try again shortly"

# Replies that redis-py has no class for: disk full, a script that runs too long, too few replicas, failing over.
_AWAY_REPLIES = ("MISCONF", "BUSY", "NOREPLICAS", "UNBLOCKED", "MASTERDOWN", "LOADING", "OOM", "READONLY")

# What uvloop says, where asyncio raises an OSError, to who writes to a connection that was reset a moment ago.
_UVLOOP_CLOSED = "the handler is closed"


def is_away(error: BaseException) -> bool:
    """Does this error say that the ledger's server is away, rather than that we called it wrongly?"""
    if type(error) is redis.ResponseError:
        return str(error).startswith(_AWAY_REPLIES)
    if type(error) is RuntimeError:
        return str(error).endswith(_UVLOOP_CLOSED)
    return next((AWAY[kind] for kind in type(error).__mro__ if kind in AWAY), False)


@asynccontextmanager
async def redis_errors(patience: float) -> AsyncIterator[None]:
    """Give the calls inside `patience` seconds in all.

    Raises: LedgerUnavailable for whatever means it is away; of those LedgerRefused where it is there.
    """
    try:
        async with asyncio.timeout(patience):
            yield
    except REFUSALS as error:
        raise LedgerRefused(AWAY_WORDS, str(error)) from error
    except Exception as error:
        if is_away(error):
            raise LedgerUnavailable(AWAY_WORDS) from error
        raise
