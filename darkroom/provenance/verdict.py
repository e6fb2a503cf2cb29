"""What verify found, in fields and in plain words."""

from datetime import datetime
from enum import StrEnum
from typing import Final, Literal

from darkroom.contract.base import Settled


class State(StrEnum):
    """What can be said of a picture. None of these says that a picture was not made by an AI: nothing can."""

    INTACT = "intact"
    INTACT_UNTRUSTED_SIGNER = "intact_untrusted_signer"
    CONFLICT = "conflict"
    RECOVERED = "recovered"
    MODIFIED_RECOVERED = "modified_recovered"
    MARK_MISMATCH = "mark_mismatch"
    MODIFIED = "modified"
    UNKNOWN_ID = "unknown_id"
    NO_EVIDENCE = "no_evidence"


Means = Literal["credential", "watermark"]


class SignerSeen(Settled):
    """Who signed. `development` is a certificate made by `darkroom up`, which proves nothing to anybody else.

    `signed_at` is there where a timestamp authority that is trusted here attests it.
    """

    common_name: str
    trusted: bool
    development: bool
    signed_at: datetime | None = None


class GenerationSeen(Settled):
    """What a trusted credential says of how the picture was made. Never the prompt, never whose it is."""

    model: str
    seed: int
    width: int
    height: int
    created_at: str


class OwnerSeen(Settled):
    """For the tenant whose picture it is, and nobody else. The prompt is there while the generation's record is.

    `parents` are the marks that were found in the pictures it was made from.
    """

    job_id: str
    index: int
    parents: tuple[str, ...] = ()
    prompt: str | None = None
    negative_prompt: str | None = None


class Verdict(Settled):
    """`means` names the evidence that was found, whether it holds or not; `notes` say what could not be looked at.

    `derived_from` is the manifest of the picture made here that this one, by its credential, its mark and its looks,
    was made from by somebody else.
    """

    state: State
    text: str
    means: tuple[Means, ...] = ()
    manifest_id: str | None = None
    watermark_id: str | None = None
    signer: SignerSeen | None = None
    generation: GenerationSeen | None = None
    derived_from: str | None = None
    owner: OwnerSeen | None = None
    notes: tuple[str, ...] = ()


# In the place of INTACT's own words, where the signer is a certificate that an installation made for itself.
DEVELOPMENT_WORDS: Final = (
    "Signed by a development certificate, which nobody but its own installation has reason to trust,"
    " and unchanged since."
)

NO_READER: Final = "No watermark was looked for: none can be read here."
NO_PIXELS: Final = "No watermark was looked for: the picture cannot be decoded."
TOO_SMALL: Final = "A watermark is rarely readable in a picture with fewer than 64 pixels on a side."
NOT_FETCHED: Final = "It names an address at which its credential is said to lie; nothing was fetched from there."
DERIVED: Final = (
    "It says that it was made from a picture of this service; its watermark and what it looks like agree with that."
)
NOTES: Final = (NO_READER, NO_PIXELS, TOO_SMALL, NOT_FETCHED, DERIVED)

WORDS: Final = {
    State.INTACT: "Signed by a trusted signer, and unchanged since.",
    State.INTACT_UNTRUSTED_SIGNER: "Unchanged since it was signed, by a signer that is not trusted here.",
    State.CONFLICT: "Validly signed, but its pixels carry the watermark of another picture of this service.",
    State.RECOVERED: "Its metadata is gone; its watermark leads to the signed record of a picture made here that looks"
    " like it. It may have been edited since.",
    State.MODIFIED_RECOVERED: "Changed since it was signed; its watermark leads to the signed record of a picture made"
    " here that looks like it.",
    State.MARK_MISMATCH: "It carries the watermark of a picture made here that looks different: the mark was copied, or"
    " the picture was edited heavily.",
    State.MODIFIED: "It carries a credential that does not hold, and no watermark that leads to a record kept here.",
    State.UNKNOWN_ID: "It carries a watermark of this service, but no signed record of it is kept here.",
    State.NO_EVIDENCE: "No credential and no watermark of this service was found. That says nothing about how it was"
    " made.",
}
