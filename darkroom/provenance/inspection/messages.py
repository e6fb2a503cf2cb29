"""What the two processes of an inspection say to each other: lines of JSON, and after a question the file itself."""

from typing import Annotated, Final, Literal, Self

from pydantic import ConfigDict, Field, TypeAdapter

from darkroom.contract.base import Settled
from darkroom.provenance.carrying import InputCredential, Taken
from darkroom.provenance.credential import Credential
from darkroom.provenance.in_turn import watermarker_of
from darkroom.provenance.inspection.evidence import Evidence
from darkroom.provenance.trust import Trust
from darkroom.provenance.trustmark.networks import NetworkFiles
from darkroom.provenance.tss.ring import Epochs, KeyRing
from darkroom.provenance.watermark import NoWatermarker, Watermarker


class Brief(Settled):
    """The first line a child reads: what to look with. Goes through its standard input, which nobody else can see."""

    model_config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64", hide_input_in_errors=True)

    keys: tuple[Epochs, ...]
    anchors_pem: str
    timestamps_pem: str = ""
    networks: NetworkFiles | None = None
    networks_first: bool = False

    @classmethod
    def of(
        cls, ring: KeyRing | None, trust: Trust, networks: NetworkFiles | None = None, *, networks_first: bool = False
    ) -> Self:
        """`ring` is the watermark's; None where nothing is marked. The others are those of `watermarker_of`."""
        return cls(
            keys=(ring.current, *ring.older) if ring else (),
            anchors_pem=trust.anchors_pem,
            timestamps_pem=trust.timestamps_pem,
            networks=networks,
            networks_first=networks_first,
        )

    @property
    def watermarker(self) -> Watermarker:
        if not self.keys:
            return NoWatermarker()
        current, *older = self.keys
        ring = KeyRing.of(current.secret, current.last, *older)
        return watermarker_of(ring, self.networks, networks_first=self.networks_first)

    @property
    def trust(self) -> Trust:
        return Trust(self.anchors_pem, self.timestamps_pem)


class Look(Settled):
    """What is there to see? Followed by so many bytes of a file."""

    kind: Literal["look"] = "look"
    length: int


class Read(Settled):
    """What does this manifest store say, which was kept apart from its picture? Followed as `Look`."""

    kind: Literal["read"] = "read"
    length: int


class Take(Settled):
    """Which credential does it carry? Followed as `Look`."""

    kind: Literal["take"] = "take"
    length: int


class Fit(Settled):
    """Can one manifest carry all of these?"""

    kind: Literal["fit"] = "fit"
    length: Literal[0] = 0
    credentials: tuple[InputCredential, ...]


Question = Look | Read | Take | Fit
QUESTION: Final = TypeAdapter[Question](Annotated[Question, Field(discriminator="kind")])


class Answer(Settled):
    """What was asked for, or else why there is none: `refused` is for the caller, `failed` names an exception for our
    log. `grown` is how many bytes of memory the child holds more than when it was new.
    """

    evidence: Evidence | None = None
    credential: Credential | None = None
    taken: Taken | None = None
    fits: bool | None = None
    refused: str | None = None
    failed: str | None = None
    grown: int = 0
