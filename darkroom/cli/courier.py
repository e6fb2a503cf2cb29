"""`darkroom courier`: sweeps the ledger, so that nothing waits for ever even if every worker sleeps."""

import asyncio
import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from darkroom.settings import Settings


def courier() -> None:
    """Run a courier: webhooks, and jobs that nobody remembers.

    Takes jobs back from dead workers, and rings again for forgotten ones.
    """
    from darkroom import crash
    from darkroom.log import configure_logging
    from darkroom.services.configuration import load_settings

    settings = load_settings()
    configure_logging(service="courier", log_format=settings.log_format, level=settings.log_level)
    crash.arm(settings.crash_at)
    asyncio.run(_until_stopped(settings))


async def _until_stopped(settings: "Settings") -> None:
    from darkroom.services import build_courier_services, run_courier
    from darkroom.services.exposition import expose
    from darkroom.services.traces import traces

    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    services = build_courier_services(settings)
    exposed = expose(services.metrics, settings.host, settings.courier_metrics_port)
    try:
        with traces(settings, "courier"):
            await run_courier(services, stop)
    finally:
        if exposed:
            exposed[0].shutdown()
        await services.close()
