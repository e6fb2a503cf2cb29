"""What must hold before a process serves anybody."""

import asyncio
import secrets
from time import monotonic
from typing import TYPE_CHECKING, Final

from darkroom.catalog import Catalog
from darkroom.errors import (
    ConfigurationError,
    LedgerRefused,
    LedgerUnavailable,
    ModelError,
    StoreRefused,
    StoreUnavailable,
    UnknownModel,
)
from darkroom.ledger.protocol import LedgerHealth
from darkroom.loopback import is_loopback
from darkroom.services.configuration import variable
from darkroom.settings import Settings
from darkroom.storage import ObjectStore

if TYPE_CHECKING:
    from darkroom.services.composition import CourierServices

REDIS: Final = "DARKROOM_REDIS_URL"
SETTLING_SECONDS: Final = 10.0
RETRY_SECONDS: Final = 0.5


def refuse_bad_settings(settings: Settings) -> None:
    """Raises: ConfigurationError for settings that would open the service to strangers."""
    if settings.allow_anonymous and not is_loopback(settings.host):
        raise ConfigurationError(
            f"DARKROOM_ALLOW_ANONYMOUS is set, DARKROOM_HOST is {settings.host}: without keys, serve on loopback alone"
        )


def refuse_short_retention(settings: Settings) -> None:
    """Raises: ConfigurationError for settings by which pictures would be handed out whose records are gone."""
    if settings.record_ttl is not None and settings.record_ttl < settings.result_ttl:
        raise ConfigurationError(
            "DARKROOM_RECORD_TTL is less than DARKROOM_RESULT_TTL: pictures would outlive their records"
        )


def require_default_model(catalog: Catalog) -> None:
    """Without it a worker would refuse what every request that names no model asks for.

    Raises: MissingWeights or BrokenWeights, naming the file.
    """
    catalog.spec(catalog.default)


def require_aliased_models(catalog: Catalog, settings: Settings) -> None:
    """Raises: ConfigurationError for a name that stands for a model nobody configured."""
    for alias, name in settings.model_aliases.items():
        try:
            catalog.spec(name)
        except UnknownModel:
            raise ConfigurationError(
                f"DARKROOM_MODEL_ALIASES: {alias!r} stands for {name!r}, which is no model"
            ) from None
        except ModelError:
            continue  # broken today: whoever asks for it is told


def refused_of(health: LedgerHealth, settings: Settings) -> tuple[str, ...]:
    """What is wrong with a ledger that nothing may start on."""
    return (*health.problems, *health.losses) if settings.production else health.problems


async def check_start(services: "CourierServices", *, writes: bool = True) -> tuple[str, ...]:
    """Ask ledger and store whether promises can be kept on them; returns warnings for the log. `writes` to the store?

    Raises: ConfigurationError naming the setting, where waiting would not help: they answer and do not let us in, or
        the server would lose jobs, in production also after its death. LedgerUnavailable or StoreUnavailable, naming
        it as well, where they do not answer.
    """
    warnings = await try_ledger(services)
    await try_store(services.store, services.settings, writes=writes)
    return warnings


async def try_ledger(services: "CourierServices") -> tuple[str, ...]:
    """Returns warnings for the log. Raises: ConfigurationError, LedgerUnavailable."""
    try:
        health = await services.ledger.check()
    except LedgerRefused as error:
        raise ConfigurationError(f"{REDIS}: the server does not let us in: {error.why}") from error
    except LedgerUnavailable as error:
        raise LedgerUnavailable(f"{REDIS}: the server does not answer; it is asked again until it does") from error
    if refused := refused_of(health, services.settings):
        raise ConfigurationError(f"{REDIS}: {'; '.join(refused)}")
    return health.warnings


async def try_store(
    store: ObjectStore, settings: Settings, *, writes: bool = True, settling: float = SETTLING_SECONDS
) -> None:
    """One that has only just started may refuse for a moment what it grants then: it has `settling` seconds.

    Raises: ConfigurationError, StoreUnavailable.
    """
    until, refused = monotonic() + settling, None
    while True:
        try:
            return await _used(store, writes=writes)
        except StoreRefused as error:
            refused = error
        except StoreUnavailable as error:
            if refused is None:  # a breaker says no more than this once it was refused thrice
                asked = variable("s3_endpoint" if settings.store == "s3" else "store_folder")
                raise StoreUnavailable(f"{asked}: {error.detail}; it is asked again until it does") from error
        if monotonic() > until:
            raise ConfigurationError(f"{variable(refused.setting)}: {refused.detail}") from refused
        await asyncio.sleep(RETRY_SECONDS)


async def _used(store: ObjectStore, *, writes: bool) -> None:
    """All that is ever done with it, on an object that nobody else knows."""
    folder = f"images/start-{secrets.token_hex(8)}"
    await store.keys(folder)  # first: some servers make a bucket that is written to and is not there
    if writes:
        await store.put(f"{folder}/0", b"ok", media_type="text/plain")
        await store.get(f"{folder}/0")
    await store.delete(f"{folder}/0")
