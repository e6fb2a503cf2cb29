"""The two kinds of model in the contract: what callers send, and what we settled.

Neither shows its input in the words of an error: those are logged, and the input holds prompts.
"""

from pydantic import BaseModel, ConfigDict


class Asked(BaseModel):
    """Sent by a caller: unknown fields, NaN, and booleans or strings for numbers are refused."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False, hide_input_in_errors=True)


class Settled(BaseModel):
    """Made by us: immutable, and read back from JSON as it was written. Callers are promised every field of it."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        allow_inf_nan=False,
        hide_input_in_errors=True,
        json_schema_serialization_defaults_required=True,
    )
