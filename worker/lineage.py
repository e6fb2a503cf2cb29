"""The pictures that a job began with, looked at once for all of its images: their marks and their credentials."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass

from darkroom.contract.plan import GenerationPlan, Notice
from darkroom.contract.start import FromNoise
from darkroom.errors import BadPicture, NotStored
from darkroom.inputs.shelf import fetch, fetch_original
from darkroom.ledger.protocol import Claim
from darkroom.provenance.ancestry import Examiner, Input, Original
from darkroom.provenance.pictures import media_type
from darkroom.storage.protocol import ObjectStore
from worker.patience import patiently


@dataclass(frozen=True)
class Ancestry:
    """What manifests say of the inputs, and what the receipt says of credentials that could not be carried on."""

    inputs: tuple[Input, ...] = ()
    notices: tuple[Notice, ...] = ()


NONE = Ancestry()


class Lineage:
    """`patience`: seconds a store may be away before a job fails."""

    def __init__(self, store: ObjectStore, examiner: Examiner, patience: float = 60.0) -> None:
        self._store = store
        self._examiner = examiner
        self._patience = patience

    async def of(self, claim: Claim) -> Ancestry:
        """The work is done on a thread. Raises: StoreUnavailable."""
        found = [await self._look(claim.tenant, field, given) for field, given in inputs_of(claim.generation)]
        notices = tuple(Notice(field=field, reason=why) for (field, _, why) in found if why)
        return Ancestry(tuple(given for _, given, _ in found), notices)

    async def _look(self, tenant: str, field: str, given: Input) -> tuple[str, Input, str]:
        """An input that is gone since its canvas was made is named by its hash: the picture is made, after all."""
        try:
            png = await patiently(self._patience, lambda: fetch(self._store, tenant, given.sha256))
        except NotStored:
            return field, given, ""
        data = await patiently(self._patience, lambda: fetch_original(self._store, tenant, given.sha256))
        seen, why = await asyncio.to_thread(self._examiner.examined, _with_original(given, data), png)
        return field, seen, why


def inputs_of(plan: GenerationPlan) -> Iterator[tuple[str, Input]]:
    """Each with the field of the request that it came by. Masks say where, and are not seen in the picture."""
    if not isinstance(plan.start, FromNoise):
        yield "image", Input("parentOf", plan.start.image.sha256)
    for index, control in enumerate(plan.controls):
        yield f"controlnets.{index}.image", Input("inputTo", control.image.sha256)


def _with_original(given: Input, data: bytes | None) -> Input:
    try:
        original = Original(data, media_type(data)) if data else None
    except BadPicture:
        original = None
    return Input(given.relationship, given.sha256, original=original)
