"""What calls cost the server, by its own `INFO` before and after them.

CPU is that of the server's main thread, by the kernel: on a busy machine calls take longer, and cost what they cost.
It contains reading, answering, and handing the append-only file to the disk, which `commandstats` does not count.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis

AT_ONCE = 16  # calls under way together, so that the server has several to answer at a time, as in a fleet

Ask = Callable[[], Awaitable[object]]


@dataclass(frozen=True)
class Reading:
    """The server's counters at one moment."""

    cpu_us: float
    commands: int
    received: int
    sent: int
    aof: int

    @classmethod
    async def of(cls, server: Redis) -> "Reading":
        info: dict[str, Any] = await server.info("everything")
        stats = {name: told for name, told in info.items() if name.startswith("cmdstat_")}
        return cls(
            cpu_us=1e6 * (info["used_cpu_user_main_thread"] + info["used_cpu_sys_main_thread"]),
            commands=sum(told["calls"] for told in stats.values()),
            received=info["total_net_input_bytes"],
            sent=info["total_net_output_bytes"],
            aof=info["aof_current_size"],
        )


@dataclass(frozen=True)
class Cost:
    """What one call costs: microseconds of the server's CPU; commands, also those that scripts call; bytes that it
    receives, sends and appends to its file."""

    cpu_us: float
    commands: float
    received: float
    sent: float
    aof: float

    @classmethod
    def between(cls, before: Reading, after: Reading, calls: int) -> "Cost":
        return cls(
            cpu_us=round((after.cpu_us - before.cpu_us) / calls, 1),
            commands=round((after.commands - before.commands) / calls, 1),
            received=round((after.received - before.received) / calls),
            sent=round((after.sent - before.sent) / calls),
            aof=round((after.aof - before.aof) / calls),
        )

    @property
    def bytes(self) -> tuple[float, float, float]:
        return self.received, self.sent, self.aof

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(*(one + more for one, more in zip(_fields(self), _fields(other), strict=True)))

    def times(self, calls: float) -> "Cost":
        return Cost(*(round(calls * one, 3) for one in _fields(self)))


NOTHING = Cost(0, 0, 0, 0, 0)


def _fields(cost: Cost) -> tuple[float, ...]:
    return cost.cpu_us, cost.commands, cost.received, cost.sent, cost.aof


async def together(asks: Sequence[Ask], at_once: int = AT_ONCE) -> list[Any]:
    """What they answer, in order, with so many under way at a time."""
    answers = []
    for first in range(0, len(asks), at_once):
        answers += await asyncio.gather(*(ask() for ask in asks[first : first + at_once]))
    return answers


async def cost_of(server: Redis, asks: Sequence[Ask]) -> tuple[Cost, list[Any]]:
    """What one of these calls costs, on average, and what they answered."""
    before = await Reading.of(server)
    answers = await together(asks)
    return Cost.between(before, await Reading.of(server), len(asks)), answers
