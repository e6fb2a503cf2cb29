"""Claimed requests for control maps: the picture fetched, its map made and kept."""

import time

from darkroom.catalog import Catalog
from darkroom.contract.preprocess import PreprocessPlan
from darkroom.errors import PreprocessorUnavailable
from darkroom.inputs.maps import remember
from darkroom.inputs.normal import Kept, Pixels, flatten, packed
from darkroom.inputs.shelf import keep
from darkroom.ledger.protocol import Claim
from darkroom.storage.protocol import ObjectStore
from worker.inputs import Inputs
from worker.patience import patiently
from worker.preprocessors.preprocessing import Preprocessors

# What is transparent has no edges, no depth and no limbs.
GROUND = 0


class MapMaker:
    """Makes one map at a time, which bounds the memory, on the thread of maps, so that no picture waits for it.

    `patience`: seconds a store may be away before a job goes back in line.
    """

    def __init__(
        self, inputs: Inputs, preprocessors: Preprocessors, catalog: Catalog, store: ObjectStore, patience: float
    ) -> None:
        self._inputs = inputs
        self._preprocessors = preprocessors
        self._catalog = catalog
        self._store = store
        self._patience = patience

    async def make(self, claim: Claim, plan: PreprocessPlan) -> float:
        """Make the map, and keep it as an input of the tenant's; says how many seconds the making took.

        Bears being done twice, by whatever workers: both come to the same bytes.

        Raises: LostInput, StoreUnavailable, PreprocessorUnavailable, PreprocessorFailed, ModelError; Withheld,
            SafetyUnavailable.
        """
        if self._catalog.preprocessors.spec(plan.type, "type").digest != plan.preprocessor:
            raise PreprocessorUnavailable("type", f"this worker makes {plan.type} maps from other weights")
        await self._inputs.looked_at(claim)
        kept, seconds = await self._inputs.mapped(claim.tenant, plan.image, lambda pixels: self._made(plan, pixels))
        await patiently(self._patience, lambda: keep(self._store, claim.tenant, kept))
        await patiently(self._patience, lambda: remember(self._store, claim.tenant, plan.map_name, kept.ref))
        return seconds

    def _made(self, plan: PreprocessPlan, pixels: Pixels) -> tuple[Kept, float]:
        began = time.monotonic()
        kept = packed(self._preprocessors.map(plan.type, flatten(pixels, GROUND), plan.resolution))
        return kept, time.monotonic() - began
