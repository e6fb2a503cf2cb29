"""Keys that all gateways of one installation come to by themselves, since they share the watermark's secret."""

from dataclasses import dataclass, field

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_BYTES = 32


@dataclass(frozen=True)
class Subkeys:
    """`links` sign links to pictures; `callers` hash what clients say of their own users."""

    links: bytes = field(repr=False)
    callers: bytes = field(repr=False)

    @classmethod
    def of(cls, secret: bytes) -> "Subkeys":
        """From the watermark's secret (HKDF, RFC 5869): to know one is not to know another, or to be able to mark."""
        return cls(links=_derived(secret, "links"), callers=_derived(secret, "callers"))


def _derived(secret: bytes, purpose: str) -> bytes:
    return HKDF(SHA256(), _BYTES, salt=None, info=f"darkroom/{purpose}".encode()).derive(secret)
