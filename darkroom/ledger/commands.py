"""Every command that the ledger gives its server, and whether a user of the server may give them."""

import re
from collections.abc import Iterator, Sequence
from importlib.resources import files
from typing import Final

from redis.asyncio import Redis
from redis.exceptions import NoPermissionError, ResponseError

_CALL: Final = re.compile(r"redis\.call\('([A-Z]+)'")
# What it asks without a script.
_PLAIN: Final = (
    *("eval", "evalsha", "script|load", "info", "hget", "hgetall", "hmget", "hdel", "lrange", "zrank"),
    *("zrevrangebylex", "xrange", "xdel", "subscribe", "unsubscribe"),
)
# Not asked about: who may not EVAL cannot ask, and Valkey 9.1 dies of being asked about one whose keys are cut off.
_UNASKED: Final = ("eval", "evalsha", "script|load")
_CHANNELS: Final = ("publish", "subscribe", "unsubscribe")
_MANY_KEYS: Final = ("del", "exists")  # all that follows is a key

# Asked of the server about whoever asks: a script may, and no other command of a plain user can. Each is asked about
# as a whole call; of what it does not know by this name it tells nothing.
_ASKING: Final = """
local missing = {}
for number, command in ipairs(ARGV) do
  local known, allowed
  if string.sub(command, 1, 1) == '*' then
    command = string.sub(command, 2)
    known, allowed = pcall(redis.acl_check_cmd, command, KEYS[number])
  else
    known, allowed = pcall(redis.acl_check_cmd, command, KEYS[number], '0', '0', '0')
  end
  if known and not allowed then missing[#missing + 1] = command end
end
return missing
"""


def commands() -> tuple[str, ...]:
    """In lower case, a subcommand behind a `|`, in order."""
    return tuple(sorted({*_PLAIN, *_called()}))


def _called() -> Iterator[str]:
    """Every command that a script of the ledger calls."""
    for script in files("darkroom.ledger").joinpath("scripts").iterdir():
        yield from map(str.lower, _CALL.findall(script.read_text("utf-8")))


async def forbidden(client: Redis, prefix: str) -> Sequence[str]:
    """Those that the client's user may not give, for keys that begin with `prefix` and the channel of bells; none where
    the server does not tell."""
    asked = [command for command in commands() if command not in _UNASKED]
    keys = [f"{prefix}:bell" if command in _CHANNELS else f"{prefix}:job:0" for command in asked]
    alone = (*_CHANNELS[1:], *_MANY_KEYS)
    asked = [f"*{command}" if command in alone else command for command in asked]
    try:
        missing: list[str] = await client.eval(_ASKING, len(keys), *keys, *asked)
    except NoPermissionError:
        raise
    except ResponseError:
        return ()
    return missing
