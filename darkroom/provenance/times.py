"""Timestamps as signing needs them: asked for, and read back from the finished file."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from darkroom.provenance.credential import CredentialReader
from darkroom.provenance.identity import SigningIdentity
from darkroom.provenance.signing import Signed
from darkroom.provenance.timestamping import TimestampAuthority, Timestamping
from darkroom.provenance.trust import PerProcess, Trust

MOST_SKEW: Final = timedelta(minutes=5)  # one of the two clocks is wrong, and nobody should rely on either


class Times:
    """Of one identity's signatures, by one authority."""

    def __init__(self, identity: SigningIdentity, authority: TimestampAuthority) -> None:
        authority.check()
        self._authority = authority
        self._way = PerProcess(lambda: Timestamping(authority), Timestamping.close)
        self._reader = CredentialReader(Trust(identity.anchor_pem, authority.roots_pem))

    @property
    def required(self) -> bool:
        """Whether nothing is signed without an attested time."""
        return self._authority.required

    def timed(self, sign: Callable[[str | None], Signed], media_type: str) -> Signed:
        """As `Timestamping.timed`, with what is wrong with a timestamp read from the signed file."""
        return self._way.get().timed(sign, lambda made: self._fault(made.data, media_type))

    def close(self) -> None:
        """Give connections back."""
        if way := self._way.take():
            way.close()

    def _fault(self, data: bytes, media_type: str) -> str:
        credential = self._reader.read(data, media_type)
        if credential is None or credential.timestamp is None:
            return "the timestamp does not read back from the finished file"
        if self._authority.roots_pem and not credential.attested:
            return "the timestamp is of an authority that is not trusted here"
        if abs(datetime.now(UTC) - credential.timestamp) > MOST_SKEW:
            return f"the timestamp authority's clock is more than {MOST_SKEW.seconds} s from ours"
        return ""
