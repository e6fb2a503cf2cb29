"""From a soft binding to its manifest: what the C2PA Soft Binding Resolution API asks (specification 2.2)."""

from typing import IO, Final

from darkroom.contract.base import Settled
from darkroom.provenance.inspection.inspector import Inspector
from darkroom.provenance.manifest_store import only_active
from darkroom.provenance.records import Records
from darkroom.provenance.recovery import Recoverer, genuine

CERTAIN: Final = 100


class Match(Settled):
    """A manifest by its label, and how like the picture it was signed for the one in question is, 0..100."""

    manifest_id: str
    similarity: int


class Resolver:
    """Answers from one collection of records. A manifest counts only if all its soft bindings are the one asked for.

    `algs` name the soft bindings that are looked for.
    """

    def __init__(self, inspector: Inspector, records: Records, algs: tuple[str, ...]) -> None:
        self.algs = algs
        self._inspector = inspector
        self._records = records
        self._recoverer = Recoverer(records, inspector)

    async def by_binding(self, alg: str, mark_id: int) -> Match | None:
        """Raises: StoreError, StoreUnavailable."""
        record = await self._records.find(mark_id)
        if record is None or record.alg != alg:
            return None
        credential = await self._recoverer.credential(record)
        if not genuine(credential, record, mark_id):
            return None
        return Match(manifest_id=record.manifest_id, similarity=CERTAIN)

    async def by_content(self, picture: IO[bytes], alg: str | None) -> Match | None:
        """What the mark in the pixels leads to, if the picture looks like it: marks can be copied.

        Raises: BadPicture; CapacityError; StoreError and StoreUnavailable.
        """
        evidence = await self._inspector.inspect(picture)
        recovery = await self._recoverer.recover(evidence)
        if recovery is None or not (recovery.genuine and recovery.alike):
            return None
        if alg is not None and recovery.record.alg != alg:
            return None
        return Match(manifest_id=recovery.record.manifest_id, similarity=round(CERTAIN * min(1.0, recovery.similarity)))

    async def manifest(self, manifest_id: str, *, active_only: bool = False) -> bytes | None:
        """The manifest store that was signed under this label, or its active manifest without those of ingredients.

        Raises: StoreError, StoreUnavailable.
        """
        store = await self._records.manifest(manifest_id)
        return only_active(store) if store and active_only else store
