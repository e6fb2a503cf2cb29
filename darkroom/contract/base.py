"""The two kinds of model in the contract: what callers send, and what we settled."""

from pydantic import BaseModel, ConfigDict


class Asked(BaseModel):
    """Sent by a caller: unknown fields, NaN, and booleans or strings for numbers are refused."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


class Settled(BaseModel):
    """Made by us: immutable, and read back from JSON as it was written."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
