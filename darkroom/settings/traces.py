"""Settings of traces."""

from pydantic import Field
from pydantic_settings import BaseSettings

from darkroom.settings.kinds import HttpUrl


class Traces(BaseSettings):
    """Where spans go."""

    otlp_endpoint: HttpUrl | None = Field(
        default=None,
        description="OpenTelemetry collector that takes our spans, by OTLP over HTTP, as http://collector:4318; none if"
        " unset. Needs `darkroom[traces]`; headers, sampling and all else as OTEL_ variables have it",
    )
