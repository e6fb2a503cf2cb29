"""What must hold before a process serves anybody."""

from typing import TYPE_CHECKING

from darkroom.catalog import Catalog
from darkroom.errors import ConfigurationError, ModelError, UnknownModel
from darkroom.ledger.protocol import LedgerHealth
from darkroom.loopback import is_loopback
from darkroom.settings import Settings

if TYPE_CHECKING:
    from darkroom.services.composition import CourierServices


def refuse_bad_settings(settings: Settings) -> None:
    """Raises: ConfigurationError for settings that would open the service to strangers."""
    if settings.allow_anonymous and not is_loopback(settings.host):
        raise ConfigurationError(
            f"allow_anonymous is set and host is {settings.host}: without keys, serve on loopback alone"
        )


def refuse_short_retention(settings: Settings) -> None:
    """Raises: ConfigurationError for settings by which pictures would be handed out whose records are gone."""
    if settings.record_ttl is not None and settings.record_ttl < settings.result_ttl:
        raise ConfigurationError("record_ttl is less than result_ttl: pictures would outlive their records")


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
            raise ConfigurationError(f"model_aliases: {alias!r} stands for {name!r}, which is no model") from None
        except ModelError:
            continue  # broken today: whoever asks for it is told


def refused_of(health: LedgerHealth, settings: Settings) -> tuple[str, ...]:
    """What is wrong with a ledger that nothing may start on."""
    return (*health.problems, *health.losses) if settings.production else health.problems


async def check_start(services: "CourierServices") -> tuple[str, ...]:
    """Ask ledger and store whether promises can be kept on them; returns warnings for the log.

    Raises: ConfigurationError for a server that would lose jobs, in production also after its death;
        LedgerUnavailable, StoreUnavailable.
    """
    health = await services.ledger.check()
    if refused := refused_of(health, services.settings):
        raise ConfigurationError("; ".join(refused))
    await services.store.check()
    return health.warnings
