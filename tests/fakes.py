"""Services without servers: the in-memory ledger and store, and real parts everywhere else."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from darkroom.catalog import Catalog, embedded_model_folder
from darkroom.catalog.digests import DigestCache
from darkroom.catalog.registry import EMBEDDED, read_catalog
from darkroom.ledger.memory import MemoryLedger
from darkroom.ledger.rules import Rules
from darkroom.metrics import Metrics
from darkroom.outbound import Guard
from darkroom.provenance.development_pki import development_pki
from darkroom.provenance.examiner import Examiner
from darkroom.provenance.identity import SigningIdentity
from darkroom.provenance.inspection.inspector import InspectorHere
from darkroom.provenance.records import Records
from darkroom.provenance.resolution import Resolver
from darkroom.provenance.stamper import Stamper
from darkroom.provenance.trust import Trust
from darkroom.provenance.tss.watermarker import TssWatermarker
from darkroom.provenance.verifier import Verifier
from darkroom.queue import SilentBells
from darkroom.safety.judging import Thresholds
from darkroom.safety.screening import Screen
from darkroom.safety.words import WordScreen
from darkroom.services import Services, WorkerServices
from darkroom.services.subkeys import Subkeys
from darkroom.settings import Settings
from darkroom.storage import MemoryStore, ObjectStore


class Given(Settings):
    """What is given, and defaults. The environment of whoever runs the tests is not asked, which would take longest."""

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], init_settings: PydanticBaseSettingsSource, **others: Any
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)


WATERMARK_SECRET = bytes(range(32))
_PKI = TemporaryDirectory(prefix="darkroom-test-pki-", ignore_cleanup_errors=True)


def fake_services(clock: Callable[[], float] | None = None, **settings: Any) -> Services:
    """What `create_app` needs. Settings given by name are laid over those of a loopback service without keys."""
    shared = _shared(clock, settings)
    store = shared["store"]
    return Services(
        catalog=fake_catalog(),
        verifier=fake_verifier(store),
        resolver=fake_resolver(store),
        guard=Guard(),
        subkeys=Subkeys.of(WATERMARK_SECRET),
        words=WordScreen(Screen((), Thresholds(), shared["metrics"])),
        **shared,
    )


def fake_worker_services(clock: Callable[[], float] | None = None, **settings: Any) -> WorkerServices:
    """What a worker needs."""
    shared = _shared(clock, settings)
    stamper, records = fake_stamper(shared["store"]), Records(shared["store"], WATERMARK_SECRET)
    examiner = Examiner(InspectorHere(_watermarker(), Trust.of(_identity().anchor_pem)))
    return WorkerServices(catalog=fake_catalog(), stamper=stamper, records=records, examiner=examiner, **shared)


def fake_stamper(store: ObjectStore) -> Stamper:
    """What it stamps into this store, `fake_verifier` of it recovers."""
    return Stamper(_watermarker(), _identity(), Records(store, WATERMARK_SECRET))


def fake_verifier(store: ObjectStore) -> Verifier:
    """Of what `fake_worker_services` stamped into this store; looks in this process, which is quicker."""
    trust = Trust.of(_identity().anchor_pem)
    return Verifier(InspectorHere(_watermarker(), trust), Records(store, WATERMARK_SECRET))


def fake_resolver(store: ObjectStore) -> Resolver:
    """As `fake_verifier`."""
    trust = Trust.of(_identity().anchor_pem)
    records = Records(store, WATERMARK_SECRET)
    return Resolver(InspectorHere(_watermarker(), trust), records, (TssWatermarker.alg,))


def _shared(clock: Callable[[], float] | None, settings: dict[str, Any]) -> dict[str, Any]:
    chosen = _given(**settings) if settings.keys() - {"allow_anonymous"} else _usual(**settings)
    rules = Rules.from_settings(chosen)
    ledger = MemoryLedger(rules, clock) if clock else MemoryLedger(rules)
    store = MemoryStore()
    metrics = Metrics()
    metrics.shown = True
    return {
        "settings": chosen,
        "ledger": ledger,
        "bells": SilentBells(),
        "store": store,
        "metrics": metrics,
        "closers": (store.close, ledger.close),
    }


def _given(**settings: Any) -> Given:
    return Given(**{"allow_anonymous": True, "home": Path("/nonexistent"), **settings})


# Frozen, asked for by most tests, and longer in the making than most of them.
_usual = cache(_given)


@cache
def fake_catalog() -> Catalog:
    """The embedded model alone, read once a run."""
    return read_catalog({EMBEDDED: embedded_model_folder()}, default=EMBEDDED, digests=DigestCache())


@cache
def _identity() -> SigningIdentity:
    return development_pki(Path(_PKI.name))


@cache
def _watermarker() -> TssWatermarker:
    return TssWatermarker.of(WATERMARK_SECRET)
