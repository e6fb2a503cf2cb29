"""Reading the C2PA credential of a file, or of a manifest store that was kept apart from it."""

import io
import json
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

import c2pa

from darkroom.provenance.binding import bound_id
from darkroom.provenance.carrying import JUMBF
from darkroom.provenance.identity import DEVELOPMENT
from darkroom.provenance.manifest import GENERATION, SOFT_BINDING
from darkroom.provenance.trust import PerProcess, Trust

DETACHED: Final = "application/c2pa"
HARD_BINDING_FAILURES: Final = frozenset({"assertion.dataHash.mismatch"})
SIGNED: Final = frozenset({"claimSignature.validated"})
SIGNED_BY_A_TRUSTED: Final = SIGNED | {"signingCredential.trusted"}
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
    `ancestors` the manifests of the pictures that the signer says it was made from, and of those in turn."""

    standing: Standing
    manifest_id: str | None = None
    signer: str | None = None
    development: bool = False
    marks: tuple[tuple[str, int], ...] = ()
    generation: dict[str, Any] = field(default_factory=dict)
    ancestors: frozenset[str] = frozenset()
    failures: frozenset[str] = frozenset()
    successes: frozenset[str] = frozenset()

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
        self._context = PerProcess(trust.context)

    def read(self, data: bytes, media_type: str) -> Credential | None:
        """None when there is no credential. Never raises for what the bytes are."""
        try:
            with c2pa.Reader(media_type, io.BytesIO(data), context=self._context.get()) as reader:
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
    return Credential(
        standing=Standing(report["validation_state"]),
        manifest_id=_printable(label),
        signer=_printable(str(signature.get("common_name") or signature.get("issuer") or "")),
        development=signature.get("issuer") == DEVELOPMENT,
        marks=tuple(mark for data in _data(assertions, SOFT_BINDING) for mark in _marks(data)),
        generation=next(_data(assertions, GENERATION), {}),
        ancestors=_ancestors(report["manifests"], label),
        failures=frozenset(entry["code"] for entry in results.get("failure", [])),
        successes=frozenset(entry["code"] for entry in results.get("success", [])),
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
