"""The courier's loops: one delivers webhooks; one puts back what dead workers held, rings forgotten bells and sweeps up
what has ended. CPU only.
"""

import asyncio
from contextlib import suppress

from darkroom.errors import StoreUnavailable, UnavailableError
from darkroom.log import get_logger
from darkroom.outbound import Guard
from darkroom.provenance.retention import Retention
from darkroom.queue import rebell
from darkroom.services.composition import CourierServices
from darkroom.services.leftovers import LeftoverSweep
from darkroom.services.startup import check_start
from darkroom.webhooks.courier import Courier
from darkroom.webhooks.sending import Sender
from darkroom.webhooks.signing import Signer

ROUND_SECONDS = 1.0

_log = get_logger(__name__)


async def run_courier(services: CourierServices, stop: asyncio.Event, *, every: float = ROUND_SECONDS) -> None:
    """Deliver, and one round every `every` seconds, until `stop` is set. A dependency that is away ends nothing.

    Raises: ConfigurationError for a ledger or a store that it must not work on, or that do not let it in.
    """
    if not await _begun(services, stop, every):
        return
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(delivering(services).run(stop))
        tasks.create_task(_rounds(services, stop, every))


async def _begun(services: CourierServices, stop: asyncio.Event, every: float) -> bool:
    """Whether what it stands on was there, and fit, before it was told to stop."""
    waits = False
    while not stop.is_set():
        try:
            for warning in await check_start(services, writes=False):
                _log.warning("courier.warned", reason=warning)
            return True
        except UnavailableError as error:
            if not waits:
                _log.warning("courier.waits", code=error.code, reason=error.detail)
            if isinstance(error, StoreUnavailable):
                return True  # webhooks and dead workers' jobs need none, and what is to be deleted is noted
            waits = True
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), every)
    return False


def delivering(services: CourierServices) -> Courier:
    """What delivers, wired."""
    settings = services.settings
    guard = Guard(settings.outbound_allow, settings.outbound_ports)
    sender = Sender(guard, Signer(settings.webhook_secrets), settings.webhook_timeout)
    return Courier(services.ledger, sender, services.metrics, settings.webhook_schedule, settings.result_ttl)


async def _rounds(services: CourierServices, stop: asyncio.Event, every: float) -> None:
    leftovers = LeftoverSweep(services.ledger, services.store)
    retention = Retention(services.store, services.settings.record_ttl)
    while not stop.is_set():
        try:
            await courier_round(services, leftovers)
            await retention.sweep()
        except UnavailableError as error:
            _log.warning("courier.waits", code=error.code)
        except Exception as error:  # noqa: BLE001 - what one record does to a round must not keep webhooks from being sent
            _log.error("round.failed", error=type(error).__name__)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), every)


async def courier_round(services: CourierServices, leftovers: LeftoverSweep) -> None:
    """Do what is due once. Raises: LedgerUnavailable."""
    reaped = await services.ledger.reap(counts=services.metrics.shown)
    services.metrics.swept(reaped.untold, reaped.waiting)
    for job_id in (*reaped.requeued, *reaped.ended):
        _log.info("job.reaped", job_id=job_id, again=job_id in reaped.requeued)
    await rebell(services.ledger, services.bells)
    await leftovers.sweep()
