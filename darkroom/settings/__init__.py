"""Every setting, once. Each is an environment variable `DARKROOM_<NAME>`; nothing is read at import."""

from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from darkroom import crash
from darkroom.settings.checkers import Checkers, ClassifierPlace
from darkroom.settings.connections import Connections
from darkroom.settings.dialects import Dialects
from darkroom.settings.environment import Environment
from darkroom.settings.gateway import Gateway
from darkroom.settings.kinds import Digest, HttpUrl
from darkroom.settings.marks import Marks, OldSecret, TrustmarkPlace
from darkroom.settings.models import ControlnetPlace, Models
from darkroom.settings.safety import Safety
from darkroom.settings.traces import Traces
from darkroom.settings.webhooks import Webhooks
from darkroom.settings.work import WorkLife

__all__ = ["ClassifierPlace", "ControlnetPlace", "Digest", "HttpUrl", "OldSecret", "Settings", "TrustmarkPlace"]


class Settings(Marks, Webhooks, WorkLife, Safety, Checkers, Models, Dialects, Gateway, Traces, Connections):
    """What a process of darkroom must know. Defaults are those of one machine."""

    model_config = SettingsConfigDict(
        env_prefix="DARKROOM_", extra="ignore", frozen=True, allow_inf_nan=False, hide_input_in_errors=True
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        *_: PydanticBaseSettingsSource,
        **__: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What was given, then the environment."""
        return init_settings, Environment(settings_cls)

    production: bool = Field(
        default=False,
        description="gateway and worker refuse to start with what is for development: its certificate, no watermark or"
        " a secret made in `home`, callers without a key, secrets that others may read, a Redis that may forget jobs",
    )

    crash_at: str | None = Field(
        default=None,
        pattern=crash.PATTERN,
        description="for tests: `POINT:N` kills the process at its N-th pass of a point (`darkroom/crash.py`)",
    )

    log_format: Literal["json", "console"] = Field(default="json", description="how log lines look")
    log_level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="least level logged")

    @field_validator("crash_at")
    @classmethod
    def _not_in_production(cls, crash_at: str | None, known: ValidationInfo) -> str | None:
        if crash_at is not None and known.data.get("production", True):
            raise ValueError("is for tests, and DARKROOM_PRODUCTION is set")
        return crash_at

    @property
    def home_folder(self) -> Path:
        return self.home.expanduser()

    @property
    def spool_root(self) -> Path:
        return self.spool_folder or self.home_folder / "spool"

    @property
    def folder_root(self) -> Path:
        return self.store_folder or self.home_folder / "store"
