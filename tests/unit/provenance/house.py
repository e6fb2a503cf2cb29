"""Everything that stamps and judges, around one store."""

from typing import Any

from darkroom.provenance import Records, SigningIdentity, Stamped, Stamper, Trust, Verdict, Verifier, Watermarker
from darkroom.provenance.examiner import Examiner
from darkroom.provenance.inspection.inspector import InspectorHere
from darkroom.storage import MemoryStore
from tests.unit.provenance.making import RGB, SECRET, encoded, facts, shapes, watermarker


class House:
    """An installation in memory. Its verifier trusts its own signer, or `trusted` instead."""

    def __init__(
        self, identity: SigningIdentity, marks: Watermarker | None = None, trusted: SigningIdentity | None = None
    ) -> None:
        marks = marks or watermarker()
        self.identity = identity
        self.store = MemoryStore()
        self.records = Records(self.store, SECRET)
        self.stamper = Stamper(marks, identity, self.records)
        trust = Trust.of((trusted or identity).anchor_pem)
        inspector = InspectorHere(marks, trust)
        self.examiner = Examiner(inspector)
        self.verifier = Verifier(inspector, self.records)

    async def issue(self, rgb_HWC: RGB | None = None, job_id: str = "01JOB", **changed: Any) -> Stamped:
        """A picture stamped and stored. Fields of its plan are changed by name."""
        picture = shapes(128, 128) if rgb_HWC is None else rgb_HWC
        told = facts(job_id, height=picture.shape[0], width=picture.shape[1], **changed)
        return await self.stamper.issue(picture, told, self.store, f"images/{job_id}/0")

    async def verify(self, data: bytes) -> Verdict:
        return await self.verifier.verify(data)

    async def verify_pixels(self, rgb_HWC: RGB) -> Verdict:
        """Of a file that has these pixels and no metadata."""
        return await self.verify(encoded(rgb_HWC))

    def stored(self) -> list[str]:
        """The folders in which something is stored."""
        return sorted({key.rpartition("/")[0] for key in self.store._objects})
