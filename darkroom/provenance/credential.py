"""Reading the C2PA credential of a file, or of a manifest store that was kept apart from it."""

import io
import json
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from darkroom.provenance.binding import bound_id
from darkroom.provenance.carrying import JUMBF
from darkroom.provenance.identity import DEVELOPMENT
from darkroom.provenance.manifest import GENERATION, SOFT_BINDING
from darkroom.provenance.native import c2pa
from darkroom.provenance.trust import PerProcess, Trust

DETACHED: Final = "application/c2pa"
HARD_BINDING_FAILURES: Final = frozenset({"assertion.dataHash.mismatch"})
SIGNED: Final = frozenset({"claimSignature.validated"})
TRUSTED_SIGNER: Final = "signingCredential.trusted"
SIGNED_BY_A_TRUSTED: Final = SIGNED | {TRUSTED_SIGNER}
STAMPED: Final = "timeStamp.validated"  # by anybody; c2pa-rs tells the time of a stamp that does not hold as well
ATTESTED: Final = "timeStamp.trusted"
SIGNED_THESE_BYTES: Final = SIGNED | {"assertion.dataHash.match"}
EXPIRED: Final = "signingCredential.expired"
EXPIRY_FAILURES: Final = frozenset({EXPIRED, "signingCredential.untrusted"})  # nobody trusts what has expired
_LONGEST_NAME: Final = 200


class Standing(StrEnum):
    """What c2pa-rs says of a credential; `unreadable` when it can say nothing."""

    TRUSTED = "Trusted"
    VALID = "Valid"
    INVALID = "Invalid"
    UNREADABLE = "unreadable"


@dataclass(frozen=True)
class Credential:
    """`marks` are the soft bindings, as (alg, id). `generation` is what the signer says of how the picture was made,
    `ancestors` the manifests of the pictures that the signer says it was made from, and of those in turn. `timestamp`
    is of whoever stamped, `attested` whether that is an authority trusted here."""

    standing: Standing
    manifest_id: str | None = None
    signer: str | None = None
    development: bool = False
    marks: tuple[tuple[str, int], ...] = ()
    generation: dict[str, Any] = field(default_factory=dict)
    ancestors: frozenset[str] = frozenset()
    failures: frozenset[str] = frozenset()
    successes: frozenset[str] = frozenset()
    timestamp: datetime | None = None
    attested: bool = False

    @property
    def signed_at(self) -> datetime | None:
        """Where a trusted authority attests it, of a signature that holds. What any other says proves nothing."""
        return self.timestamp if self.attested and self.successes >= SIGNED else None

    @property
    def holds(self) -> bool:
        """Signature and pixels agree, whoever signed."""
        return self.standing in (Standing.TRUSTED, Standing.VALID)

    @property
    def outlived(self) -> bool:
        """Signature and pixels agree; that the certificate has expired since is all that is wrong."""
        expired = EXPIRED in self.failures and self.failures <= EXPIRY_FAILURES
        return expired and self.successes >= SIGNED_THESE_BYTES

    @property
    def genuine_as_a_record(self) -> bool:
        """For a manifest out of our own records, where it was put when its signer was trusted, without its picture.

        That no picture is there to match may be wrong, and that the certificate has expired since.
        """
        failures = self.failures - HARD_BINDING_FAILURES
        if EXPIRED in failures:
            return failures <= EXPIRY_FAILURES and self.successes >= SIGNED
        return not failures and self.successes >= SIGNED_BY_A_TRUSTED


class CredentialReader:
    """Reads by one set of trusted roots, from any thread of any process."""

    def __init__(self, trust: Trust) -> None:
        authorities = trust.of_authorities
        self._context = PerProcess(trust.context)
        self._timed = PerProcess(lambda: trust.context(timed=True)) if trust.timestamps_pem else None
        self._authorities = PerProcess(lambda: authorities.context(timed=True)) if authorities else None

    def read(self, data: bytes, media_type: str) -> Credential | None:
        """None when there is no credential. Never raises for what the bytes are."""
        credential = _read(data, media_type, self._context)
        if credential is None or credential.timestamp is None or self._timed is None:
            return credential
        return self._in_time(credential, data, media_type, self._timed)

    def _in_time(
        self, credential: Credential, data: bytes, media_type: str, timed: PerProcess[c2pa.Context]
    ) -> Credential:
        """What it is once timestamps count: a certificate that has expired since was valid then."""
        seen = _read(data, media_type, timed)
        if seen is None or ATTESTED not in seen.successes:
            return credential
        if not credential.outlived or self._vouched_for_by_an_authority(data, media_type):
            return replace(credential, timestamp=seen.timestamp, attested=True)
        return replace(seen, attested=True)

    def _vouched_for_by_an_authority(self, data: bytes, media_type: str) -> bool:
        """c2pa-rs takes the roots of authorities for those of signers, so a signer of theirs would be trusted."""
        seen = _read(data, media_type, self._authorities) if self._authorities else None
        return seen is not None and TRUSTED_SIGNER in seen.successes


def _read(data: bytes, media_type: str, context: PerProcess[c2pa.Context]) -> Credential | None:
    try:
        with c2pa.Reader(media_type, io.BytesIO(data), context=context.get()) as reader:
            return _credential(json.loads(reader.json()))
    except c2pa.C2paError.ManifestNotFound:
        return None
    except (c2pa.C2paError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return Credential(Standing.UNREADABLE) if JUMBF in data else None


def _credential(report: dict[str, Any]) -> Credential:
    label = report["active_manifest"]
    active = report["manifests"][label]
    results = report.get("validation_results", {}).get("activeManifest", {})
    signature = active.get("signature_info") or {}
    assertions = active.get("assertions", [])
    successes = frozenset(entry["code"] for entry in results.get("success", []))
    return Credential(
        standing=Standing(report["validation_state"]),
        manifest_id=_printable(label),
        signer=_printable(str(signature.get("common_name") or signature.get("issuer") or "")),
        development=signature.get("issuer") == DEVELOPMENT,
        marks=tuple(mark for data in _data(assertions, SOFT_BINDING) for mark in _marks(data)),
        generation=next(_data(assertions, GENERATION), {}),
        ancestors=_ancestors(report["manifests"], label),
        failures=frozenset(entry["code"] for entry in results.get("failure", [])),
        successes=successes,
        timestamp=datetime.fromisoformat(signature["time"]) if STAMPED in successes else None,
    )


def _ancestors(manifests: dict[str, Any], label: str) -> frozenset[str]:
    """The labels that ingredients lead to; each is followed once, so a ring of them ends."""
    found: set[str] = set()
    left = [label]
    while left:
        ingredients = (manifests.get(left.pop()) or {}).get("ingredients") or []
        named = {str(entry["active_manifest"]) for entry in ingredients if entry.get("active_manifest")}
        left += named - found
        found |= named
    return frozenset(found - {label})


def _printable(text: str) -> str:
    """Strangers choose these words; no terminal shall obey them."""
    return "".join(letter for letter in text[:_LONGEST_NAME] if letter.isprintable())


def _data(assertions: list[dict[str, Any]], label: str) -> Any:
    return (entry["data"] for entry in assertions if entry["label"] == label and isinstance(entry["data"], dict))


def _marks(data: dict[str, Any]) -> list[tuple[str, int]]:
    """Soft bindings in our own forms; those of other makers are not ours to read."""
    alg = str(data.get("alg"))
    blocks = [block for block in data.get("blocks", []) if isinstance(block, dict)]
    found = (bound_id(alg, str(block.get("value"))) for block in blocks)
    return [(alg, mark_id) for mark_id in found if mark_id is not None]
