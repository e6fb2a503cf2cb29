"""Settings of the dialects: the protocols of others that the gateway speaks beside its own."""

from typing import Annotated, Any, Literal, get_args

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode

Dialect = Literal["openai", "a1111", "hf", "replicate"]
DIALECTS: tuple[Dialect, ...] = get_args(Dialect)


class Dialects(BaseSettings):
    """Which are spoken, and how strictly."""

    compat: Annotated[tuple[Dialect, ...], NoDecode] = Field(
        default=DIALECTS,
        description="dialects that are spoken beside our own API: `openai` at /v1, `a1111` at"
        " /sdapi and /controlnet, `hf` at /hf, `replicate` at /replicate; none if empty",
    )
    compat_strict: bool = Field(
        default=False,
        description="refuse a request of a dialect that has a field without effect, instead of warning of it",
    )
    compat_wait: float = Field(
        default=570.0,
        gt=0,
        le=3600,
        description="seconds for which a dialect without jobs holds a request open for its pictures; then the job is"
        " canceled. Clients of OpenAI hang up after 600",
    )

    model_aliases: dict[str, str] = Field(
        default_factory=dict,
        description="name -> model, for clients of dialects that can only name models of others; those of OpenAI mean"
        " the default model, with a warning, unless they are here",
    )

    @field_validator("compat", mode="before")
    @classmethod
    def _between_commas(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        return tuple(dict.fromkeys(name.strip().lower() for name in value.split(",") if name.strip()))
