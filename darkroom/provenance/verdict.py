"""What verify found, in fields and in plain words."""

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
    """Who signed. `development` is a certificate made by `darkroom up`, which proves nothing to anybody else."""

    common_name: str
    trusted: bool
    development: bool


class GenerationSeen(Settled):
    """What a trusted credential says of how the picture was made. Never the prompt, never whose it is."""

    model: str
    seed: int
    width: int
    height: int
    created_at: str


class Verdict(Settled):
    """`means` names the evidence that was found, whether it holds or not."""

    state: State
    text: str
    means: tuple[Means, ...] = ()
    manifest_id: str | None = None
    watermark_id: str | None = None
    signer: SignerSeen | None = None
    generation: GenerationSeen | None = None


# In the place of INTACT's own words, where the signer is a certificate that an installation made for itself.
DEVELOPMENT_WORDS: Final = (
    "Signed by a development certificate, which nobody but its own installation has reason to trust,"
    " and unchanged since."
)

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
