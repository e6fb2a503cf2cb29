"""What verify found, in plain words."""

from typing import Final

from darkroom.contract.verdict import State

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
