"""Settings of the gateway."""

from ipaddress import IPv4Network, IPv6Network

from pydantic import Field
from pydantic_settings import BaseSettings

from darkroom.settings.kinds import Digest, Host, HttpUrl, Origin, Port
from darkroom.settings.quotas import Quota


class Gateway(BaseSettings):
    """Who may ask, how much, and whom we may fetch from."""

    host: str = Field(default="127.0.0.1", description="address the gateway listens on")
    port: int = Field(default=8000, ge=0, le=65535, description="port the gateway listens on; 0 picks a free one")
    metrics_port: int | None = Field(
        default=None, ge=1, le=65535, description="port on which a worker shows its metrics, at `host`; none if unset"
    )
    public_url: HttpUrl | None = Field(
        default=None, description="base of the URLs we hand out; the request's own if unset"
    )
    api_keys: dict[Digest, str] = Field(default_factory=dict, description="SHA-256 hex of an API key -> tenant")
    allow_anonymous: bool = Field(
        default=False, description="serve requests without a key as tenant `local`; loopback only"
    )
    allowed_hosts: tuple[Host, ...] = Field(
        default=(),
        description="host names that the gateway answers to, besides those of its own machine and of `public_url`; any"
        " if empty, unless `allow_anonymous` is set",
    )
    cors_origins: tuple[Origin, ...] = Field(
        default=(),
        description="origins, as https://app.example, whose pages may use the API in a browser; none if empty",
    )
    playground: bool = Field(default=True, description="answer browsers at `/` with a page to make pictures with")
    max_body_bytes: int = Field(default=64 * 1024 * 1024, ge=1024, description="largest request body")
    tenants: dict[str, Quota] = Field(
        default_factory=dict,
        description="tenant -> what it may have: `weight`, `max_queued`, `max_queued_seconds`, `max_running`,"
        " `per_minute`; all others have weight 1 and no limits of their own",
    )
    max_job_seconds: float = Field(
        default=900.0, gt=0, description="device seconds a request may be expected to take before 422 job_too_large"
    )
    max_queued_seconds: float = Field(
        default=86_400.0, gt=0, description="device seconds that may wait in the whole service before 503 queue_full"
    )
    max_queued: int = Field(default=10_000, ge=1, description="jobs waiting in the whole service before 503 queue_full")
    max_queued_per_tenant: int = Field(
        default=1_000, ge=1, description="jobs waiting for one tenant before 429 tenant_limit"
    )
    verify_per_minute: int = Field(
        default=300,
        ge=1,
        le=60_000,
        description="pictures a tenant may have looked up in a minute, over all gateways, before 429 rate_limited",
    )
    verify_per_minute_and_address: int = Field(
        default=600,
        ge=1,
        le=60_000,
        description="the same for all callers at one address, which behind a proxy is the proxy's",
    )

    outbound_allow: tuple[IPv4Network | IPv6Network, ...] = Field(
        default=(), description="networks that are not public, in which URLs of callers may be fetched all the same"
    )
    outbound_ports: tuple[Port, ...] = Field(default=(80, 443), description="ports that URLs of callers may name")
