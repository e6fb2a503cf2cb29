"""A claimed job's pictures: fetched, checked, made into its canvas and maps, before the engine hears of the job."""

import asyncio

from darkroom.catalog.preprocessors import read_preprocessors
from darkroom.catalog.weights import fresh_sha256
from darkroom.contract.controlnet import PlannedControl
from darkroom.contract.plan import GenerationPlan
from darkroom.contract.start import FromImage, FromMask, FromNoise, PictureRef
from darkroom.errors import BadPicture, LostInput, NotStored
from darkroom.inputs.normal import Pixels, stored
from darkroom.inputs.shelf import fetch
from darkroom.ledger.protocol import Claim
from darkroom.storage.protocol import ObjectStore
from worker.patience import patiently
from worker.pictures import prepare
from worker.pictures.canvas import BLANK, Canvas
from worker.preprocessors.preprocessing import Preprocessors


class Inputs:
    """`patience`: seconds a store may be away before a job fails.

    `preprocessors` make the maps; by default those that need no weights.
    """

    def __init__(self, store: ObjectStore, patience: float = 60.0, preprocessors: Preprocessors | None = None) -> None:
        self._store = store
        self._patience = patience
        self._preprocessors = preprocessors or Preprocessors(read_preprocessors({}, fresh_sha256), {})

    async def prepared(self, claim: Claim) -> tuple[Canvas, tuple[Pixels, ...]]:
        """All that the job's generation needs besides its plan. Raises: as `canvas` and `maps`."""
        return await self.canvas(claim), await self.maps(claim)

    async def canvas(self, claim: Claim) -> Canvas:
        """What the job's generation begins with; decoding runs on a thread. Raises: LostInput, StoreUnavailable."""
        plan, start = claim.generation, claim.generation.start
        if isinstance(start, FromNoise):
            return BLANK
        image = await self.pixels(claim.tenant, start.image)
        if isinstance(start, FromImage):
            return await asyncio.to_thread(prepare.drawn, plan, image)
        if isinstance(start, FromMask):
            mask = await self.pixels(claim.tenant, start.mask)
            return await asyncio.to_thread(prepare.masked, plan, image, mask)
        return await asyncio.to_thread(prepare.inside, plan, image)

    async def maps(self, claim: Claim) -> tuple[Pixels, ...]:
        """The map of each control of the plan, at the plan's size.

        Raises: LostInput, StoreUnavailable, PreprocessorUnavailable, PreprocessorFailed, ModelError.
        """
        made: list[Pixels] = []
        for control in claim.generation.controls:
            picture = await self.pixels(claim.tenant, control.image)
            made.append(await asyncio.to_thread(self._map, claim.generation, control, picture))
        return tuple(made)

    def _map(self, plan: GenerationPlan, control: PlannedControl, picture: Pixels) -> Pixels:
        """A picture is scaled before its map is made: lines are then as thin as ControlNets know them."""
        shown_HW3 = prepare.steering(plan, picture)
        if not control.preprocess:
            return shown_HW3
        return self._preprocessors.map(control.type, shown_HW3, min(plan.width, plan.height))

    async def pixels(self, tenant: str, ref: PictureRef) -> Pixels:
        """A picture in the store. Raises: LostInput, StoreUnavailable."""
        try:
            png = await patiently(self._patience, lambda: fetch(self._store, tenant, ref.sha256))
            return (await asyncio.to_thread(stored, png)).pixels
        except (NotStored, BadPicture) as error:
            raise LostInput("a picture that the generation begins with is not in the store any more") from error
