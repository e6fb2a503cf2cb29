"""Trying again while Redis, the store or whoever signs is away."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import stamina

from darkroom.errors import SigningUnavailable, UnavailableError
from darkroom.log import get_logger

# stamina's own hook logs a line for every try.
stamina.instrumentation.set_on_retry_hooks(())

log = get_logger(__name__)

T = TypeVar("T")

AWAY = (UnavailableError, SigningUnavailable)


async def patiently(seconds: float | None, call: Callable[[], Awaitable[T]]) -> T:
    """`call()`, tried again with growing pauses while it raises one of `AWAY`: for `seconds`, for ever if None.
    0 tries once.

    A lost reply may hide a call that took effect, so `call` must bear being made twice.
    """
    # Of a time-out of 0 stamina warns, as if it were a mistake.
    timeout = None if seconds is None else max(seconds, 0.001)
    async for attempt in stamina.retry_context(
        on=AWAY, attempts=None, timeout=timeout, wait_initial=0.1, wait_max=2.0, wait_jitter=0.1
    ):
        with attempt:
            try:
                return await call()
            except AWAY as error:
                if attempt.num == 1:
                    log.warning("call.delayed", code=error.code, reason=error.detail)
                raise
    raise AssertionError("unreachable: the last error is raised")
