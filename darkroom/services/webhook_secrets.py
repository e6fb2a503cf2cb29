"""Secrets that webhooks are signed with: how one is made, and the one that a single machine keeps in `home`."""

import base64
import secrets
from pathlib import Path
from typing import Final

from pydantic import SecretStr, TypeAdapter

from darkroom.errors import ConfigurationError
from darkroom.provenance.private_files import locked, read_private, write_private
from darkroom.settings import Settings
from darkroom.settings.webhooks import WebhookSecret

FILE: Final = "webhook.secret"
TENANT: Final = "local"  # who calls without a key
_BYTES: Final = 32
_SECRET: Final[TypeAdapter[SecretStr]] = TypeAdapter(WebhookSecret)


def fresh_secret() -> str:
    """`whsec_` and base64 of 256 random bits."""
    return f"whsec_{base64.b64encode(secrets.token_bytes(_BYTES)).decode()}"


def with_kept_secret(settings: Settings) -> Settings:
    """Settings by which webhooks of `local` are signed, with a secret that is made in `home` the first time; as they
    are where somebody has set secrets.

    Raises: ConfigurationError for a file that others may read, or that holds no secret.
    """
    if settings.webhook_secrets:
        return settings
    return settings.model_copy(update={"webhook_secrets": {TENANT: (_kept(settings.home_folder / FILE),)}})


def _kept(path: Path) -> SecretStr:
    with locked(path.parent):
        if not path.exists():
            write_private(path, fresh_secret().encode())
    try:
        return _SECRET.validate_python(read_private(path).decode("ascii").strip())
    except ValueError:
        # No cause: its words would hold what is there in the place of a secret.
        raise ConfigurationError(f"{path.name} holds no webhook secret") from None
