"""The process that holds the models: `python -m worker.child`, its orders on stdin.

Whatever can be found wrong without torch is found before torch is loaded, which takes seconds. Then it waits to be told
to begin: see `worker.standby`.
"""

import asyncio
import os
import sys
from contextlib import suppress

from darkroom import crash
from darkroom.errors import ConfigurationError, ModelError
from darkroom.log import configure_logging, get_logger
from darkroom.services import WorkerServices, build_worker_services
from darkroom.services.startup import try_ledger, try_store
from darkroom.services.traces import traces
from worker.exits import MISCONFIGURED, NO_WEIGHTS, ORPHANED
from worker.heart import Heart
from worker.launch import Orders, die_with
from worker.patience import AWAY

log = get_logger(__name__)


def main() -> int:
    """The exit code, from `worker.exits`."""
    orders = Orders.loads(sys.stdin.buffer.readline())
    die_with(orders.supervisor_pid)
    configure_logging(service="worker", log_format=orders.settings.log_format, level=orders.settings.log_level)
    crash.arm(orders.settings.crash_at)
    heart = Heart(orders.pulse_fd)
    try:
        with traces(orders.settings, "worker"):
            return _work(orders, heart)
    except ModelError as error:
        model = orders.settings.default_model
        log.error("model.broken", model=model, path=error.path, reason=error.detail)
        heart.say("failed", f"the default model {model} is broken: {error.detail}")
        return NO_WEIGHTS
    except ConfigurationError as error:
        log.error("worker.refused", reason=error.detail)
        heart.say("failed", error.detail)
        return MISCONFIGURED


def _work(orders: Orders, heart: Heart) -> int:
    """Until it is drained; the exit code. Raises: ModelError naming the file; ConfigurationError."""
    build_worker_services(orders.settings)
    from worker.threads import Worker, open_loop  # loads torch

    heart.say("standby")
    if not sys.stdin.buffer.readline():
        raise SystemExit(ORPHANED)
    heart.say("loading")
    heart.start()
    services = build_worker_services(orders.settings)  # anew: files may have changed while it waited
    loop = open_loop(services)
    loop.run_until_complete(_ask_first(services))
    worker = Worker(orders.worker, services, heart, loop)
    worker.warm()
    return worker.run()


async def _ask_first(services: WorkerServices) -> None:
    """Whoever will not let us in says so before models are loaded, which takes minutes. Who is away is named, and
    waited for once they are: meanwhile they can load, and the others are asked. Raises: ConfigurationError."""
    for ask in (
        lambda: try_ledger(services),
        lambda: try_store(services.store, services.settings),
        lambda: asyncio.to_thread(services.stamper.check_signer),
    ):
        try:
            await ask()
        except AWAY as error:
            log.warning("start.delayed", code=error.code, reason=error.detail)


if __name__ == "__main__":
    code = main()
    with suppress(AttributeError, OSError, ValueError):  # whoever reads it may be gone; the code must still be told
        sys.stderr.flush()
    os._exit(code)  # daemon threads may still be inside torch, where an ordinary exit would crash
