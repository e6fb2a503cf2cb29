"""The pictures that a job began with, looked at once for all of its images: their marks and their credentials."""

from collections.abc import Iterator
from dataclasses import dataclass
from operator import itemgetter

from darkroom.contract.plan import GenerationPlan, Notice
from darkroom.contract.start import FromNoise
from darkroom.errors import NotStored
from darkroom.inputs.shelf import fetch, fetch_original
from darkroom.ledger.protocol import Claim
from darkroom.provenance.ancestry import Input
from darkroom.provenance.examiner import UNFITTING, Examiner
from darkroom.storage.protocol import ObjectStore
from worker.patience import patiently


@dataclass(frozen=True)
class Ancestry:
    """What manifests say of the inputs, and what the receipt says of credentials that could not be carried on."""

    inputs: tuple[Input, ...] = ()
    notices: tuple[Notice, ...] = ()


NONE = Ancestry()


class Lineage:
    """Waits for a store that is away for as long as it takes, as finished pictures do."""

    def __init__(self, store: ObjectStore, examiner: Examiner) -> None:
        self._store = store
        self._examiner = examiner

    async def of(self, claim: Claim) -> Ancestry:
        """All looking is done elsewhere."""
        asked = list(inputs_of(claim.generation))
        looked_at = [await self._look(claim.tenant, given) for _, given in asked]
        inputs, lost = await self._examiner.fitting([given for given, _ in looked_at])
        missing = [(place, why) for place, (_, whys) in enumerate(looked_at) for why in whys]
        missing += [(place, UNFITTING) for place in lost]
        missing.sort(key=itemgetter(0))
        return Ancestry(inputs, tuple(Notice(field=asked[place][0], reason=why) for place, why in missing))

    async def _look(self, tenant: str, given: Input) -> tuple[Input, tuple[str, ...]]:
        """An input that is gone since its canvas was made is named by its hash: the picture is made, after all."""
        try:
            png = await patiently(None, lambda: fetch(self._store, tenant, given.sha256))
        except NotStored:
            return given, ()
        original = await patiently(None, lambda: fetch_original(self._store, tenant, given.sha256))
        return await self._examiner.examined(given, png, original)


def inputs_of(plan: GenerationPlan) -> Iterator[tuple[str, Input]]:
    """Each with the field of the request that it came by. Masks say where, and are not seen in the picture."""
    if not isinstance(plan.start, FromNoise):
        yield "image", Input("parentOf", plan.start.image.sha256)
    for index, control in enumerate(plan.controls):
        yield f"controlnets.{index}.image", Input("inputTo", control.image.sha256)
