"""Settings -> the parts of a process, wired. Nothing is contacted here; `check_start` does that."""

from collections.abc import Awaitable, Callable, Collection
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from typing import TypedDict

from darkroom.breaker import ANY_FAILURE, Breaker
from darkroom.catalog import Catalog, open_catalog
from darkroom.ledger.protocol import Ledger
from darkroom.ledger.redis import RedisLedger
from darkroom.metrics import Metrics
from darkroom.outbound import Guard
from darkroom.planner import Labels
from darkroom.provenance.examiner import Examiner
from darkroom.provenance.in_turn import algs_read_by
from darkroom.provenance.inspection.messages import Brief
from darkroom.provenance.inspection.process import InspectorApart
from darkroom.provenance.label import Label
from darkroom.provenance.policy import Policy, prompt_key
from darkroom.provenance.records import Records
from darkroom.provenance.resolution import Resolver
from darkroom.provenance.stamper import Stamper
from darkroom.provenance.trust import Trust
from darkroom.provenance.tss.ring import KeyRing
from darkroom.provenance.verifier import Verifier
from darkroom.queue import Bells, RqBells
from darkroom.safety.words import WordScreen
from darkroom.services.keys import (
    NETWORKS,
    key_ring,
    network_files,
    open_keys,
    open_watermarker,
    timestamp_authority,
    trusted_signers,
    watermark_secret,
)
from darkroom.services.production import refuse_development, refuse_open_ledger
from darkroom.services.screens import word_screen
from darkroom.services.startup import (
    refuse_bad_settings,
    refuse_short_retention,
    require_aliased_models,
    require_default_model,
)
from darkroom.services.subkeys import Subkeys
from darkroom.settings import Settings
from darkroom.storage import GuardedStore, MeasuredStore, ObjectStore, open_store

INPUT_SECONDS = 10.0  # for one look at an input: the jobs that came after it wait

Closer = Callable[[], Awaitable[None]]


@dataclass(frozen=True, kw_only=True)
class CourierServices:
    """What every process stands on, and all that the courier needs. `closers` run last to first."""

    settings: Settings
    ledger: Ledger
    bells: Bells
    store: ObjectStore
    metrics: Metrics
    closers: tuple[Closer, ...] = ()

    async def close(self) -> None:
        """Give connections back, all of them even when one fails."""
        async with AsyncExitStack() as stack:
            for closer in self.closers:
                stack.push_async_callback(closer)


@dataclass(frozen=True, kw_only=True)
class Services(CourierServices):
    """What the gateway stands on besides: it verifies, and holds no key that signs."""

    catalog: Catalog
    verifier: Verifier
    resolver: Resolver
    guard: Guard
    subkeys: Subkeys
    words: WordScreen

    @property
    def labels(self) -> Labels:
        """What may be drawn into pictures for people to read."""
        return Labels(self.settings.visible_label, self.settings.visible_labels)


@dataclass(frozen=True, kw_only=True)
class WorkerServices(CourierServices):
    """What a worker stands on besides: it alone signs."""

    catalog: Catalog
    stamper: Stamper
    records: Records
    examiner: Examiner


def build_courier_services(settings: Settings) -> CourierServices:
    """For the courier, which needs no key. Raises: ConfigurationError."""
    refuse_open_ledger(settings)
    refuse_short_retention(settings)
    return CourierServices(**_shared(settings))


def build_gateway_services(settings: Settings) -> Services:
    """For the gateway and whoever verifies. Raises: ConfigurationError."""
    refuse_development(settings)  # first, since it says all that is wrong at once
    refuse_bad_settings(settings)
    refuse_short_retention(settings)
    shared = _shared(settings, guarded=("ledger", "store"))
    secret = watermark_secret(settings)
    ring, trust = key_ring(settings, secret), trusted_signers(settings)
    algs = algs_read_by(open_watermarker(settings, ring))  # a file that cannot be used ends us, not the child
    inspector = InspectorApart(_brief(settings, ring, trust))
    shared["closers"] += (inspector.close,)
    records = _records(shared["store"], ring)
    catalog = open_catalog(settings)
    require_aliased_models(catalog, settings)
    words = word_screen(settings, shared["metrics"])
    shared["closers"] += (words.close,)
    return Services(
        catalog=catalog,
        verifier=Verifier(inspector, records),
        resolver=Resolver(inspector, records, algs),
        guard=Guard(settings.outbound_allow, settings.outbound_ports),
        subkeys=Subkeys.of(secret),
        words=words,
        **shared,
    )


def build_worker_services(settings: Settings) -> WorkerServices:
    """For a worker, which serves what it can of the catalog.

    Raises: ConfigurationError; MissingWeights or BrokenWeights for the default model.
    """
    refuse_development(settings)
    catalog = open_catalog(settings)
    require_default_model(catalog)
    shared = _shared(settings, guarded=("store",))
    keys = open_keys(settings)
    records = _records(shared["store"], keys.ring)
    font = settings.visible_label_font
    Label("", font).check()
    key = prompt_key(keys.ring.current.secret)
    policy = Policy(settings.producer, settings.prompt_policy, key, settings.visible_label, font)
    authority, stage = timestamp_authority(settings), shared["metrics"].stage
    stamper = Stamper(keys.watermarker, keys.identity, records, policy, authority, stage)
    inspector = InspectorApart(_brief(settings, keys.ring, Trust.of(keys.identity.anchor_pem)), INPUT_SECONDS)
    shared["closers"] += (inspector.close, stamper.close)
    examiner = Examiner(inspector)
    return WorkerServices(catalog=catalog, stamper=stamper, records=records, examiner=examiner, **shared)


def _brief(settings: Settings, ring: KeyRing, trust: Trust) -> Brief:
    if settings.watermark == "none":
        return Brief.of(None, trust)
    return Brief.of(ring, trust, network_files(settings), networks_first=settings.watermark == NETWORKS)


def _records(store: ObjectStore, ring: KeyRing) -> Records:
    return Records(store, ring.current.secret, *(old.secret for old in ring.older))


class _Shared(TypedDict):
    settings: Settings
    ledger: Ledger
    bells: Bells
    store: ObjectStore
    metrics: Metrics
    closers: tuple[Closer, ...]


def _shared(settings: Settings, guarded: Collection[str] = ()) -> _Shared:
    """`guarded` names what is behind a breaker: where somebody waits for an answer, or something else can be done."""
    metrics = Metrics()
    limits = {"store": ANY_FAILURE} if settings.store == "s3" else {}
    breakers = {name: Breaker(name, partial(metrics.broken, name), limits.get(name)) for name in guarded}
    store: ObjectStore = MeasuredStore(open_store(settings), metrics)
    if breaker := breakers.get("store"):
        store = GuardedStore(store, breaker)
    ledger = RedisLedger.from_settings(settings, breakers.get("ledger"))
    bells = RqBells(settings)
    return {
        "settings": settings,
        "ledger": ledger,
        "bells": bells,
        "store": store,
        "metrics": metrics,
        "closers": (store.close, bells.close, ledger.close),
    }
