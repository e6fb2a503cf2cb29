"""Settings of the life of a job."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings


class WorkLife(BaseSettings):
    """Leases, attempts, and what is kept."""

    lease_seconds: float = Field(default=15.0, gt=0, description="a worker silent for this long loses its jobs")
    max_attempts: int = Field(default=3, ge=1, description="claims that may die before the job fails")
    outage_patience: float = Field(
        default=60.0,
        ge=0,
        description="seconds a worker waits for what is away before it gives a job up, or hands it back",
    )
    spool_folder: Path | None = Field(
        default=None, description="where finished pictures wait while the store is away; `home`/spool if unset"
    )
    spool_bytes: int = Field(
        default=1024**3,
        ge=0,
        description="most bytes a worker keeps there; 0 keeps pictures in memory, for `outage_patience`",
    )
    previews: bool = Field(
        default=True, description="sketches of unfinished pictures for requests that ask for them; false: for none"
    )
    preview_interval: float = Field(
        default=0.5, ge=0.1, le=60, description="least seconds between two sketches of a generation"
    )
    drain_seconds: float = Field(default=20.0, ge=0, description="how long a stopping worker may finish what it holds")
    result_ttl: int = Field(default=7 * 24 * 3600, ge=1, description="seconds a finished job's record is kept")
    record_ttl: int | None = Field(
        default=None,
        ge=24 * 3600,
        description="seconds that marks lead back to what was signed, at least `result_ttl`; for ever if unset",
    )
