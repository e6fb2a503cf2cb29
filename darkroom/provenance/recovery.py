"""From a mark to the manifest on record, and whether that manifest is what it should be."""

import asyncio
from dataclasses import dataclass

from darkroom.errors import BadPicture
from darkroom.provenance.credential import Credential, Standing
from darkroom.provenance.inspection.evidence import Evidence, View
from darkroom.provenance.inspection.inspector import Inspector
from darkroom.provenance.records import Record, Records
from darkroom.provenance.similarity import SIMILAR, likeness


@dataclass(frozen=True)
class Recovery:
    """Where the mark leads: the manifest on record, whether it is one, and whether it belongs to this picture.

    `similarity` of the picture with the one that was marked, -1..1.
    """

    record: Record
    credential: Credential | None
    genuine: bool
    similarity: float
    same_bytes: bool

    @property
    def alike(self) -> bool:
        """A mark can be copied onto another picture; what is in the picture cannot be."""
        return self.similarity >= SIMILAR


class Recoverer:
    """Follows marks through one collection of records, and has the inspector read what it finds."""

    def __init__(self, records: Records, inspector: Inspector) -> None:
        self._records = records
        self._inspector = inspector

    async def recover(self, evidence: Evidence) -> Recovery | None:
        """None without a mark, or without a record of it. Raises: StoreError, StoreUnavailable."""
        if evidence.mark is None or evidence.view is None:
            return None
        record = await self._records.find(evidence.mark.mark_id)
        if record is None:
            return None
        credential = await self.credential(record)
        return Recovery(
            record,
            credential,
            genuine=genuine(credential, record, evidence.mark.mark_id),
            similarity=await asyncio.to_thread(_similarity, evidence.view, record),
            same_bytes=evidence.sha256 == record.sha256,
        )

    async def by_credential(self, evidence: Evidence) -> Recovery | None:
        """Where the file's own credential leads, if these very bytes are on record: the way for files in which no mark
        is found, such as those of keys that are not read any more. Others may write any id into a credential of
        theirs, and nobody can make other bytes of this hash. Raises: StoreError, StoreUnavailable.
        """
        if evidence.credential is None or len(evidence.credential.marks) != 1:
            return None
        ((alg, mark_id),) = evidence.credential.marks
        record = await self._records.find(mark_id)
        if record is None or (record.alg, record.sha256) != (alg, evidence.sha256):
            return None
        credential = await self.credential(record)
        return Recovery(record, credential, genuine(credential, record, mark_id), similarity=1.0, same_bytes=True)

    async def credential(self, record: Record) -> Credential | None:
        """The credential that was kept for this record. Raises: CapacityError; StoreError, StoreUnavailable."""
        manifest = await self._records.manifest(record.manifest_id)
        if not manifest:
            return None
        try:
            return await self._inspector.read(manifest)
        except BadPicture:  # it carries on something that ends whoever reads it
            return Credential(Standing.UNREADABLE)


def genuine(credential: Credential | None, record: Record, mark_id: int) -> bool:
    """The manifest on record was signed by a trusted signer, for this mark and no other."""
    return (
        credential is not None
        and credential.genuine_as_a_record
        and credential.manifest_id == record.manifest_id
        and credential.marks == ((record.alg, mark_id),)
    )


def _similarity(view: View, record: Record) -> float:
    return likeness(view.grey_HW, record.thumbnail_webp)
