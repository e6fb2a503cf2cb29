"""Kinds of values that settings have."""

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr


def _redis_url(url: SecretStr) -> SecretStr:
    try:
        parts = urlsplit(url.get_secret_value())
        sound = parts.scheme == "unix" or (parts.scheme in ("redis", "rediss") and parts.port != 0)
    except ValueError:
        sound = False
    if not sound:
        raise ValueError("must begin with redis://, rediss:// or unix://, and name a port from 1 to 65535 if any")
    return url


Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
HttpUrl = Annotated[str, Field(pattern=r"^https?://[^/\s]+")]
Host = Annotated[str, Field(pattern=r"^[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?$|^[0-9A-Fa-f:]{2,45}$")]
Origin = Annotated[str, Field(pattern=r"^https?://([A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:]{2,45}\])(:[0-9]{1,5})?$")]
Port = Annotated[int, Field(ge=1, le=65535)]
RedisUrl = Annotated[SecretStr, AfterValidator(_redis_url)]
