"""Signatures of the Standard Webhooks specification, by its own library."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from pydantic import SecretStr
from standardwebhooks import Webhook


class Signer:
    """Signs for a tenant with every secret it has now: while one takes the place of another, both are good."""

    def __init__(self, secrets: Mapping[str, Sequence[SecretStr]]) -> None:
        self._keys = {
            tenant: [Webhook(secret.get_secret_value()) for secret in given] for tenant, given in secrets.items()
        }

    def can_sign_for(self, tenant: str) -> bool:
        return tenant in self._keys

    def headers(self, tenant: str, message: str, at: datetime, body: str) -> dict[str, str]:
        """The three headers of a message that is sent at this time, which has a zone. Raises: KeyError."""
        signatures = [key.sign(message, at, body) for key in self._keys[tenant]]
        return {
            "webhook-id": message,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": " ".join(signatures),
        }
