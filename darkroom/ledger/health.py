"""Is this Redis one that we can keep promises on?"""

from collections.abc import Mapping, Sequence

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from darkroom.ledger.commands import forbidden
from darkroom.ledger.protocol import LedgerHealth


async def examine(client: Redis, prefix: str) -> LedgerHealth:
    """Ask the server how it treats data, and us. INFO is enough for most of it, and managed services allow it."""
    info = {**await client.info("memory"), **await client.info("persistence")}
    appendfsync = await _appendfsync(client)
    losses = _losses(info, appendfsync)
    problems = (*_problems(info), *_missing(await forbidden(client, prefix)))
    return LedgerHealth(problems=problems, warnings=losses or _doubts(appendfsync), losses=losses)


def _problems(info: Mapping[str, object]) -> tuple[str, ...]:
    policy = info.get("maxmemory_policy", "noeviction")
    if policy == "noeviction":
        return ()
    return (f"Redis may evict jobs: maxmemory-policy is {policy}, it must be noeviction",)


def _missing(commands: Sequence[str]) -> tuple[str, ...]:
    if not commands:
        return ()
    named = ", ".join(map(str.upper, commands))
    return (f"Redis does not let this user do {named} on our keys: `darkroom redis-users` writes what each needs",)


def _losses(info: Mapping[str, object], appendfsync: str | None) -> tuple[str, ...]:
    if not info.get("aof_enabled"):
        return ("Redis forgets accepted jobs when it dies: appendonly is off",)
    if appendfsync not in (None, "always"):
        return (f"Redis may forget the last accepted jobs when it dies: appendfsync is {appendfsync}, not always",)
    return ()


def _doubts(appendfsync: str | None) -> tuple[str, ...]:
    """Managed services keep their configuration to themselves: what is not known is no reason to refuse them."""
    if appendfsync is None:
        return ("Redis does not tell its appendfsync; accepted jobs survive its death only with `always`",)
    return ()


async def _appendfsync(client: Redis) -> str | None:
    """None where CONFIG is not allowed."""
    try:
        return str((await client.config_get("appendfsync")).get("appendfsync"))
    except ResponseError:
        return None
