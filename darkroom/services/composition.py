"""Settings -> the parts of a process, wired. Nothing is contacted here; `check_start` does that."""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TypedDict

from darkroom.catalog import Catalog, open_catalog
from darkroom.ledger.protocol import Ledger
from darkroom.ledger.redis import RedisLedger
from darkroom.metrics import Metrics
from darkroom.provenance.records import Records
from darkroom.provenance.stamper import Stamper
from darkroom.provenance.trust import Trust
from darkroom.provenance.verifier import Verifier
from darkroom.queue import Bells, RqBells
from darkroom.services.keys import Keys, open_keys
from darkroom.services.startup import refuse_bad_settings, require_default_model
from darkroom.settings import Settings
from darkroom.storage import ObjectStore, open_store

Closer = Callable[[], Awaitable[None]]


@dataclass(frozen=True, kw_only=True)
class Services:
    """What every process stands on. `closers` run last to first."""

    settings: Settings
    catalog: Catalog
    ledger: Ledger
    bells: Bells
    store: ObjectStore
    metrics: Metrics
    verifier: Verifier
    closers: tuple[Closer, ...] = ()

    async def close(self) -> None:
        """Give connections back, all of them even when one fails."""
        async with AsyncExitStack() as stack:
            for closer in self.closers:
                stack.push_async_callback(closer)


@dataclass(frozen=True, kw_only=True)
class WorkerServices(Services):
    """What a worker stands on besides."""

    stamper: Stamper
    records: Records


def build_gateway_services(settings: Settings) -> Services:
    """For the gateway, the courier and whoever verifies. Raises: ConfigurationError."""
    refuse_bad_settings(settings)
    store = open_store(settings)
    keys = open_keys(settings)
    records = Records(store, keys.watermark_secret)
    return Services(verifier=_verifier(settings, keys, records), **_shared(settings, store, open_catalog(settings)))


def build_worker_services(settings: Settings) -> WorkerServices:
    """For a worker, which serves what it can of the catalog.

    Raises: ConfigurationError; MissingWeights or BrokenWeights for the default model.
    """
    catalog = open_catalog(settings)
    require_default_model(catalog)
    store = open_store(settings)
    keys = open_keys(settings)
    records = Records(store, keys.watermark_secret)
    return WorkerServices(
        verifier=_verifier(settings, keys, records),
        stamper=Stamper(keys.watermarker, keys.identity, records),
        records=records,
        **_shared(settings, store, catalog),
    )


class _Shared(TypedDict):
    settings: Settings
    catalog: Catalog
    ledger: Ledger
    bells: Bells
    store: ObjectStore
    metrics: Metrics
    closers: tuple[Closer, ...]


def _shared(settings: Settings, store: ObjectStore, catalog: Catalog) -> _Shared:
    ledger = RedisLedger.from_settings(settings)
    bells = RqBells(settings)
    return {
        "settings": settings,
        "catalog": catalog,
        "ledger": ledger,
        "bells": bells,
        "store": store,
        "metrics": Metrics(),
        "closers": (store.close, bells.close, ledger.close),
    }


def _verifier(settings: Settings, keys: Keys, records: Records) -> Verifier:
    anchors = (settings.trust_anchors,) if settings.trust_anchors else ()
    return Verifier(keys.watermarker, Trust.of(keys.identity, anchor_files=anchors), records)
