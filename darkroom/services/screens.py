"""Settings -> who looks at words; nobody starts who could not do what the settings promise."""

from collections.abc import Sequence

from darkroom.contract.safety import STAGES, Stage
from darkroom.errors import ConfigurationError
from darkroom.metrics import Metrics
from darkroom.safety import policies
from darkroom.safety.building import prompt_checkers
from darkroom.safety.judging import Thresholds
from darkroom.safety.screening import Screen
from darkroom.safety.words import WordScreen
from darkroom.services.webhook_secrets import TENANT
from darkroom.settings import Settings


def word_screen(settings: Settings, metrics: Metrics) -> WordScreen:
    """Raises: ConfigurationError."""
    refuse_unknown_tenants(settings)
    checkers = prompt_checkers(settings)
    refuse_unkept(settings, ("prompt",), checkers)
    return WordScreen(Screen(checkers, thresholds(settings), metrics))


def thresholds(settings: Settings) -> Thresholds:
    """From which score on what is flagged."""
    return Thresholds(settings.safety_thresholds, settings.safety_threshold)


def refuse_unkept(settings: Settings, stages: Sequence[Stage], checkers: Sequence[object]) -> None:
    """Raises: ConfigurationError for a policy by which everything would be refused: nobody is there to look."""
    if unkept := unkept_stages(settings, stages, checkers):
        by_floor = any(policies.floor(settings).at(stage) == "block" for stage in unkept)
        name, where = "DARKROOM_SAFETY" if by_floor else "DARKROOM_TENANT_SAFETY", " and ".join(unkept)
        raise ConfigurationError(f"{name} blocks at {where}, and there is no checker to look at it: see docs/safety.md")


def refuse_unknown_tenants(settings: Settings) -> None:
    """Raises: ConfigurationError for a policy of nobody's: whom it was meant for would be guarded less."""
    known = set(settings.api_keys.values()) | ({TENANT} if settings.allow_anonymous else set())
    if known and (nobodys := sorted(settings.tenant_safety.keys() - known)):
        raise ConfigurationError(f"DARKROOM_TENANT_SAFETY names {nobodys[0]!r}, whose no key is in DARKROOM_API_KEYS")


def unkept_stages(settings: Settings, stages: Sequence[Stage], checkers: Sequence[object]) -> tuple[Stage, ...]:
    """Those of the stages at which somebody's generations are to be blocked, and nobody could say which."""
    policy = policies.strictest_of_all(settings)
    return () if checkers else tuple(stage for stage in STAGES if stage in stages and policy.at(stage) == "block")
