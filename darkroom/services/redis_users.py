"""Users of Redis, one a role: each with the keys, channels and commands that its work takes, and no others.

Redis checks what a script calls as it checks a client, so the ledger's scripts need their commands granted. It cannot
tell one script from another: who may run the ledger's scripts can write the ledger's keys. What a role is kept from is
everything else: other keys, the whole server's commands, and, but for workers, listening for bells as a worker does.
"""

import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from darkroom.errors import ConfigurationError
from darkroom.ledger.commands import commands as ledger_commands

ROLES: Final = ("gateway", "worker", "courier")
OPERATOR: Final = "operator"  # a person, who may do everything

_PLAIN: Final = re.compile(r"[A-Za-z0-9._:-]+")
_CONNECTION: Final = ("auth", "hello", "ping", "select", "client|setinfo", "client|setname", "client|info")
_RING: Final = ("llen", "smembers", "scard", "sadd", "hset", "rpush", "lpush", "expire", "multi", "exec", "discard")
_LISTEN: Final = (
    *("blpop", "blmove", "lmove", "lpop", "rpop", "lrem", "lrange", "del", "exists", "expire", "persist", "type"),
    *("hget", "hmget", "hdel", "hincrby", "hincrbyfloat", "hgetall", "srem", "sismember", "scard"),
    *("zadd", "zrem", "zrange", "zrangebyscore", "zremrangebyscore", "zcard", "zscore", "zcount"),
    *("xadd", "xrange", "xrevrange", "xtrim", "set", "get", "watch", "unwatch", "publish"),
)


@dataclass(frozen=True)
class Grant:
    """What one role may touch of RQ, besides the ledger."""

    keys: tuple[str, ...]
    channels: tuple[str, ...]
    commands: tuple[str, ...]


_RINGS: Final = Grant(("~rq:queue:generate.*", "~rq:queues", "~rq:job:*", "%R~rq:workers:*"), (), _RING)
_LISTENS: Final = Grant(("~rq:*",), ("&rq:pubsub:*",), (*_RING, *_LISTEN))
_RQ: Final = {"gateway": _RINGS, "worker": _LISTENS, "courier": _RINGS}


def fresh_passwords() -> dict[str, str]:
    """One for each user, of 256 random bits."""
    return {user: secrets.token_urlsafe(32) for user in (*ROLES, OPERATOR)}


def acl_file(prefix: str, passwords: Mapping[str, str]) -> str:
    """The file for Redis' `aclfile`, for ledgers whose keys begin with `prefix`. Of a password it holds the SHA-256.

    Raises: ConfigurationError for a prefix that would mean something else in a pattern.
    """
    if not _PLAIN.fullmatch(prefix):
        raise ConfigurationError("DARKROOM_KEY_PREFIX: for users of Redis, letters, digits and . _ : - are possible")
    lines = ["user default reset off"]
    lines += [f"user {role} reset on {_digest(passwords[role])} {_rules(role, prefix)}" for role in ROLES]
    lines.append(f"user {OPERATOR} reset on {_digest(passwords[OPERATOR])} ~* &* +@all")
    return "\n".join(lines) + "\n"


def _digest(password: str) -> str:
    return f"#{hashlib.sha256(password.encode()).hexdigest()}"


def _rules(role: str, prefix: str) -> str:
    rq = _RQ[role]
    keys = (f"~{{{prefix}}}", f"~{{{prefix}}}:*", *rq.keys)
    channels = (f"&{{{prefix}}}:bell", *rq.channels)
    commands = sorted({*_CONNECTION, *ledger_commands(), *rq.commands})
    return " ".join((*keys, *channels, "-@all", *(f"+{command}" for command in commands)))
