"""Who is calling: a bearer key names a tenant. Only hashes of keys are known here."""

import hashlib
import hmac
from collections.abc import Mapping

from darkroom.errors import Unauthenticated
from darkroom.settings import Settings

ANONYMOUS_TENANT = "local"


class KeyRing:
    """Tenants by the SHA-256 of their keys."""

    def __init__(self, tenants: Mapping[str, str], *, allow_anonymous: bool) -> None:
        self._tenants = tuple((digest.lower().encode(), tenant) for digest, tenant in tenants.items())
        self._allow_anonymous = allow_anonymous

    @classmethod
    def of(cls, settings: Settings) -> "KeyRing":
        return cls(settings.api_keys, allow_anonymous=settings.allow_anonymous)

    def tenant(self, key: str | None) -> str:
        """The tenant of a key; without any keys configured, what is sent as a key says nothing.

        Raises: Unauthenticated.
        """
        if self._allow_anonymous and (key is None or not self._tenants):
            return ANONYMOUS_TENANT
        if key is None:
            raise Unauthenticated("send an API key: Authorization: Bearer KEY")
        digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest().encode()
        # All digests are compared, so that the time taken says nothing about which one was close.
        matches = [tenant for known, tenant in self._tenants if hmac.compare_digest(known, digest)]
        if not matches:
            raise Unauthenticated("the API key is not known")
        return matches[0]
