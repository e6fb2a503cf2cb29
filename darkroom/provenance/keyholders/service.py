"""A key behind a service: the bytes to sign are posted to it, the body of its answer is the signature."""

import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from darkroom.errors import ConfigurationError, SigningUnavailable
from darkroom.loopback import is_loopback
from darkroom.outbound.poster import Poster, PostFailed
from darkroom.provenance.keyholders.answers import MOST_BYTES
from darkroom.provenance.trust import PerProcess

OCTETS: Final = "application/octet-stream"


@dataclass(frozen=True)
class SigningService:
    """`token` goes along as a bearer token. `roots` are PEM certificates that its TLS is held to; the system's if None.

    An answer of another status than 200 is a refusal; redirects are not followed, proxies not used.
    """

    url: str
    seconds: float = 5.0
    token: str | None = field(default=None, repr=False)
    roots: Path | None = None
    _poster: PerProcess[Poster] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_poster", PerProcess(self._connect, Poster.close))

    def check(self) -> None:
        """Raises: ConfigurationError for a way on which others could listen, or roots that cannot be read."""
        parts = urlsplit(self.url)
        if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
            raise ConfigurationError("DARKROOM_SIGNING_URL must be https, but for services on this machine")
        self._tls()

    def sign(self, data: bytes) -> bytes:
        """Raises: SigningUnavailable."""
        headers = {"content-type": OCTETS, "accept": OCTETS}
        if self.token:
            headers["authorization"] = f"Bearer {self.token}"
        try:
            return self._poster.get().post(self.url, data, headers, seconds=self.seconds, most=MOST_BYTES)
        except PostFailed as error:
            raise SigningUnavailable(f"the signing service does not sign: {error}") from None

    def close(self) -> None:
        """Give up its connections; asking again makes new ones."""
        if poster := self._poster.take():
            poster.close()

    def _connect(self) -> Poster:
        return Poster(proxies=False, tls=self._tls())

    def _tls(self) -> ssl.SSLContext:
        try:
            return ssl.create_default_context(cafile=str(self.roots) if self.roots else None)
        except (OSError, ValueError) as error:
            raise ConfigurationError("DARKROOM_SIGNING_CA does not hold PEM certificates") from error
