"""`darkroom courier`: sweeps the ledger, so that nothing waits for ever even if every worker sleeps."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from darkroom.errors import UnavailableError

if TYPE_CHECKING:
    from darkroom.ledger.protocol import Ledger
    from darkroom.queue import Bells

SWEEP_SECONDS = 1.0


def courier() -> None:
    """Put back what dead workers held, ring again for forgotten jobs, end what is past its deadline."""
    from darkroom.cli.config import load_settings
    from darkroom.log import configure_logging
    from darkroom.services import build_gateway_services

    settings = load_settings()
    configure_logging(settings)
    services = build_gateway_services(settings)
    asyncio.run(_until_stopped(services.ledger, services.bells, services.close))


async def _until_stopped(ledger: "Ledger", bells: "Bells", close: Callable[[], Awaitable[None]]) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    while not stopped.is_set():
        await _sweep_or_wait(ledger, bells)
        try:
            await asyncio.wait_for(stopped.wait(), SWEEP_SECONDS)
        except TimeoutError:
            continue
    await close()


async def _sweep_or_wait(ledger: "Ledger", bells: "Bells") -> None:
    """One sweep; a ledger that is away for a while is no reason to end."""
    import structlog

    try:
        await sweep(ledger, bells)
    except UnavailableError as error:
        structlog.get_logger().warning("courier_waits", code=error.code)


async def sweep(ledger: "Ledger", bells: "Bells") -> None:
    """Reap, ring for every model that has somebody waiting, and clear the outbox, which has no receivers yet."""
    reaped = await ledger.reap()
    for model, count in reaped.waiting.items():
        if count:
            await bells.ring(model)
    for row, _ in await ledger.outbox():
        await ledger.outbox_done(row)
