"""What the two processes of an inspection say to each other: lines of JSON, and after a question the file itself."""

from typing import Self

from pydantic import ConfigDict

from darkroom.contract.base import Settled
from darkroom.provenance.inspection.evidence import Evidence
from darkroom.provenance.trust import Trust
from darkroom.provenance.tss.watermarker import TssWatermarker
from darkroom.provenance.watermark import NoWatermarker, Watermarker


class Brief(Settled):
    """The first line a child reads: what to look with. Goes through its standard input, which nobody else can see."""

    model_config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64", hide_input_in_errors=True)

    secret: bytes | None
    anchors_pem: str

    @classmethod
    def of(cls, secret: bytes | None, trust: Trust) -> Self:
        """`secret` is the watermark's; None where nothing is marked."""
        return cls(secret=secret, anchors_pem=trust.anchors_pem)

    @property
    def watermarker(self) -> Watermarker:
        return NoWatermarker() if self.secret is None else TssWatermarker(self.secret)

    @property
    def trust(self) -> Trust:
        return Trust(self.anchors_pem)


class Question(Settled):
    """Followed by so many bytes of a file."""

    length: int


class Answer(Settled):
    """`evidence`, or else why there is none: `refused` is for the caller, `failed` names an exception for our log.

    `grown` is how many bytes of memory the child holds more than when it was new.
    """

    evidence: Evidence | None = None
    refused: str | None = None
    failed: str | None = None
    grown: int = 0
