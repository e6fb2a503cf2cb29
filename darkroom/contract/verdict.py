"""What can be said of a picture, in fields; `darkroom.provenance.verdict` has the plain words."""

from datetime import datetime
from enum import StrEnum
from typing import Literal

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
