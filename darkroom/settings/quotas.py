"""What one tenant may have of the service, and how much of it when others wait as well."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Count = Annotated[int, Field(ge=1)]


class Quota(BaseModel):
    """`weight`: a tenant of weight 2 gets twice the device seconds of one of weight 1 while both wait.

    None: no limit of its own, or for `max_queued` that of the service. `per_minute`: generations let in a minute.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    weight: float = Field(default=1.0, ge=0.001, le=1000)
    max_queued: Count | None = None
    max_queued_seconds: Annotated[float, Field(gt=0)] | None = None
    max_running: Count | None = None
    per_minute: Annotated[int, Field(ge=1, le=60_000)] | None = None
