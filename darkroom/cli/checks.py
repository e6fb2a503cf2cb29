"""What `darkroom doctor` looks at. A check returns verdicts in plain words; what it raises on purpose is a failure."""

import asyncio
import importlib.metadata
import os
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, Protocol, TypeVar

from darkroom.catalog import open_catalog
from darkroom.catalog.listed import Listed
from darkroom.catalog.preprocessors import Preprocessors
from darkroom.cli.machine_checks import check_device, check_disks, check_gateway
from darkroom.cli.safety_checks import check_safety
from darkroom.cli.settings_checks import check_settings
from darkroom.cli.webhook_checks import check_webhooks
from darkroom.contract.model import ModelSpec
from darkroom.errors import DarkroomError, LedgerRefused, LedgerUnavailable, TimestampUnavailable
from darkroom.ledger.redis import RedisLedger
from darkroom.ledger.server import LocalRedis
from darkroom.provenance import SigningIdentity
from darkroom.provenance.development_pki import passing_identity
from darkroom.provenance.identity import RENEW_WITHIN
from darkroom.provenance.private_files import read_private
from darkroom.provenance.signing import CredentialSigner
from darkroom.provenance.times import Times
from darkroom.provenance.timestamping import TimestampAuthority
from darkroom.provenance.trustmark.networks import Networks
from darkroom.services.keys import SIGNING_WAYS, kept_secrets, network_files, signing_identity, timestamp_authority
from darkroom.services.production import unfit_for_production
from darkroom.services.startup import REDIS, refused_of, try_store
from darkroom.settings import Settings
from darkroom.storage import open_store

State = Literal["ok", "warn", "fail"]
Verdict = tuple[State, str]
Check = Callable[[Settings], Awaitable[list[Verdict]]]

MAX_SKEW_SECONDS = 60.0


@dataclass(frozen=True)
class Finding:
    """One line of the doctor's table."""

    state: State
    about: str
    words: str


async def run_checks(settings: Settings, only: Sequence[str] = ()) -> list[Finding]:
    """Every check in turn, or those named in `only`."""
    findings: list[Finding] = []
    for about in only or CHECKS:
        try:
            verdicts = await CHECKS[about](settings)
        except DarkroomError as error:
            verdicts = [("fail", error.detail)]
        findings += [Finding(state, about, words) for state, words in verdicts]
    return findings


async def check_ledger(settings: Settings) -> list[Verdict]:
    """The Redis of the settings, or else the embedded one, started for a moment in a folder of its own."""
    if "redis_url" in settings.model_fields_set:
        return await _ask_ledger(settings, "Redis of DARKROOM_REDIS_URL: no eviction, every write on disk")
    with tempfile.TemporaryDirectory() as folder, LocalRedis(Path(folder)) as server:
        embedded = Settings.model_validate({**settings.model_dump(), "redis_url": server.url})
        return await _ask_ledger(embedded, "embedded server for `darkroom up`: no eviction, every write on disk")


async def _ask_ledger(settings: Settings, when_well: str) -> list[Verdict]:
    ledger = RedisLedger.from_settings(settings)
    try:
        health = await ledger.check()
    except LedgerRefused as error:
        return [("fail", f"{REDIS}: the server does not let us in: {error.why}")]
    except LedgerUnavailable:
        return [("fail", f"{REDIS}: no server answers there: is it up, and is the address right?")]
    finally:
        await ledger.close()
    problems: list[Verdict] = [("fail", problem) for problem in refused_of(health, settings)]
    warnings: list[Verdict] = [("warn", warning) for warning in health.warnings]
    return [*problems, *(each for each in warnings if ("fail", each[1]) not in problems)] or [("ok", when_well)]


async def check_store(settings: Settings) -> list[Verdict]:
    """Would a write and a read work. A folder that is not there yet is not made, only asked for."""
    if settings.store == "folder" and not settings.folder_root.exists():
        return [_judge_new_folder(settings.folder_root)]
    store = open_store(settings)
    try:
        await try_store(store, settings, settling=0)
    finally:
        await store.close()
    where = settings.folder_root if settings.store == "folder" else settings.s3_bucket
    return [("ok", f"{settings.store}: {where} writes and reads")]


def _judge_new_folder(folder: Path) -> Verdict:
    above = next(parent for parent in folder.absolute().parents if parent.exists())
    if above.is_dir() and os.access(above, os.W_OK | os.X_OK):
        return "ok", f"folder: {folder} will be made at the first start"
    return "fail", f"folder: {folder} cannot be made, {above} is not ours to write in"


async def check_keys(settings: Settings) -> list[Verdict]:
    """Secrets that only we can read, and a certificate that still holds."""
    verdicts: list[Verdict] = []
    if settings.signing_certificate is None:
        verdicts.append(
            (
                "warn",
                "pictures are signed by a development certificate that only this machine trusts: "
                "DARKROOM_SIGNING_CERTIFICATE names another",
            )
        )
    elif any(getattr(settings, way) for way in SIGNING_WAYS):
        verdicts += await _ask_signer(signing_identity(settings))
    else:
        verdicts.append(("ok", "a certificate to verify by, and none to sign with, as in a gateway"))
    if authority := timestamp_authority(settings):
        verdicts.append(await _ask_the_time(authority))
    for kept in kept_secrets(settings):
        read_private(kept)
    if files := network_files(settings):
        verdicts.append(("ok", f"networks of TrustMark {Networks(files).variant} are those that are pinned"))
    if settings.watermark == "none":
        verdicts.append(("warn", "DARKROOM_WATERMARK=none: pictures carry no mark that survives stripping"))
    return verdicts


async def _ask_signer(identity: SigningIdentity) -> list[Verdict]:
    verdicts: list[Verdict] = [judge_expiry(identity.expires_at, datetime.now(UTC))]
    began = time.monotonic()
    await asyncio.to_thread(CredentialSigner(identity).check)
    who = "whoever holds the signing key signed by it" if identity.holder else "a picture can be signed"
    return [*verdicts, ("ok", f"{who}, in {time.monotonic() - began:.2f} s")]


async def _ask_the_time(authority: TimestampAuthority) -> Verdict:
    """For a signature that nobody will see, by a key that is thrown away."""
    began, identity = time.monotonic(), passing_identity()
    times = Times(identity, replace(authority, required=True))
    try:
        await asyncio.to_thread(CredentialSigner(identity, times=times).check)
    except TimestampUnavailable as error:
        return "fail" if authority.required else "warn", error.detail
    finally:
        await asyncio.to_thread(times.close)
    return "ok", f"the timestamp authority attested a time, in {time.monotonic() - began:.2f} s"


async def check_production(settings: Settings) -> list[Verdict]:
    """What DARKROOM_PRODUCTION refuses to start with: before it is set, what there is to do."""
    unfit = list(unfit_for_production(settings))
    if settings.production:
        refused: list[Verdict] = [("fail", problem) for problem in unfit]
        return refused or [("ok", "nothing that is for development alone")]
    things = "1 thing" if len(unfit) == 1 else f"{len(unfit)} things"
    return [("ok", f"DARKROOM_PRODUCTION is not set; {things} would be refused if it were")]


def judge_expiry(expires_at: datetime, now: datetime) -> Verdict:
    """Of the first in the chain to run out."""
    state: State = "warn" if expires_at - now < RENEW_WITHIN else "ok"
    return state, f"signing certificate, with those that vouch for it, valid until {expires_at:%Y-%m-%d}"


async def check_clock(settings: Settings) -> list[Verdict]:
    """Leases run by the ledger's clock, signatures and webhooks by ours."""
    if "redis_url" not in settings.model_fields_set:
        return [("ok", "one machine, one clock")]
    from redis.asyncio import Redis
    from redis.exceptions import RedisError

    client = Redis.from_url(settings.redis_url.get_secret_value(), socket_timeout=settings.redis_timeout)
    try:
        seconds, micros = await client.time()
    except RedisError as error:
        return [("fail", f"the ledger's clock cannot be read: {type(error).__name__}")]
    finally:
        await client.aclose()
    skew = abs(time.time() - seconds - micros / 1e6)
    return [("ok" if skew < MAX_SKEW_SECONDS else "fail", f"{skew:.1f} s from the ledger's clock")]


async def check_models(settings: Settings) -> list[Verdict]:
    """Everything with weights that would be served, from its headers. Only a broken model is a failure."""
    catalog = open_catalog(settings, remember=False)
    broken: list[Verdict] = [("fail", f"{entry.name}: {entry.error.detail}") for entry in catalog.unavailable()]
    sound: list[Verdict] = [("ok", f"{spec.name}: {_weights_of(spec)}") for spec in catalog.specs()]
    return [
        *broken,
        *sound,
        *_judge(catalog.loras),
        *_judge(catalog.vaes),
        *_judge(catalog.controlnets, lambda net: f"{net.type}, "),
        *_judge(catalog.embeddings),
        *_judge_preprocessors(catalog.preprocessors),
    ]


class Fitted(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def models(self) -> tuple[str, ...]: ...


F = TypeVar("F", bound=Fitted)


def _judge(known: Listed[F], words: Callable[[F], str] = lambda _: "") -> Iterator[Verdict]:
    """`words` come before the models that one fits."""
    for entry in known.unavailable():
        yield "warn", f"{known.kind} {entry.name}: {entry.error.detail}"
    for spec in known.specs():
        state: State = "ok" if spec.models else "warn"
        yield state, f"{known.kind} {spec.name}: {words(spec)}for {', '.join(spec.models) or 'none of the models'}"


def _judge_preprocessors(preprocessors: Preprocessors) -> Iterator[Verdict]:
    """Those that need no weights are always there."""
    for entry in preprocessors.unavailable():
        yield "warn", f"preprocessor {entry.name}: {entry.error.detail}"
    for spec in preprocessors.specs():
        if spec.files:
            yield "ok", f"preprocessor {spec.type}: {spec.method}"


def _weights_of(spec: ModelSpec) -> str:
    came = f", commit {spec.revision}" if spec.revision else ""
    return f"{len(spec.weights)} weight files{came}"


async def check_parts(settings: Settings) -> list[Verdict]:
    """What each process needs is installed. Asked of the package records: nothing is imported."""
    return [_judge_package(name, extra) for name, extra in (("fastapi", "api"), ("torch", "worker"))]


def _judge_package(name: str, extra: str) -> Verdict:
    try:
        return "ok", f"{name} {importlib.metadata.version(name)}"
    except importlib.metadata.PackageNotFoundError:
        return "warn", f"{name} is missing: `darkroom {extra}` needs darkroom[{extra}]"


CHECKS: dict[str, Check] = {
    "settings": check_settings,
    "ledger": check_ledger,
    "store": check_store,
    "keys": check_keys,
    "production": check_production,
    "webhooks": check_webhooks,
    "safety": check_safety,
    "clock": check_clock,
    "models": check_models,
    "parts": check_parts,
    "device": check_device,
    "disk": check_disks,
    "gateway": check_gateway,
}
