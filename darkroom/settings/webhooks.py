"""Settings of webhooks."""

import base64
import re
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import BaseSettings

_FORM = re.compile(r"whsec_([A-Za-z0-9+/]+={0,2})")


def _webhook_secret(secret: SecretStr) -> SecretStr:
    """Of 24 to 64 bytes, as the Standard Webhooks specification asks."""
    found = _FORM.fullmatch(secret.get_secret_value())
    text = found[1].rstrip("=") if found else ""
    if len(text) % 4 == 1 or not 24 <= len(base64.b64decode(text + "=" * (-len(text) % 4))) <= 64:
        raise ValueError("must be whsec_ and base64 of 24 to 64 bytes: `darkroom webhook-secret` makes one")
    return secret


WebhookSecret = Annotated[SecretStr, AfterValidator(_webhook_secret)]
Delay = Annotated[float, Field(ge=0, le=7 * 24 * 3600)]


class Webhooks(BaseSettings):
    """Who signs, and how often it is tried."""

    webhook_secrets: dict[str, Annotated[tuple[WebhookSecret, ...], Field(min_length=1, max_length=2)]] = Field(
        default_factory=dict,
        description="tenant -> list of one secret that its webhooks are signed with, or two while one replaces the"
        " other; for the gateway and the courier",
    )
    webhook_schedule: Annotated[tuple[Delay, ...], Field(min_length=1, max_length=20)] = Field(
        default=(0, 5, 300, 1800, 7200, 18_000, 36_000, 36_000),
        description="seconds before each attempt at a delivery, give or take a tenth; after the last it is dead",
    )
    webhook_timeout: float = Field(
        default=15.0, gt=0, le=60, description="seconds that one attempt may take, from look-up to answer"
    )
    courier_metrics_port: int | None = Field(
        default=None, ge=1, le=65535, description="port on which a courier shows its metrics, at `host`; none if unset"
    )
