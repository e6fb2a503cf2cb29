"""A claimed job's pictures: fetched, checked and made into its canvas, before the engine hears of the job."""

import asyncio

from darkroom.contract.start import FromImage, FromMask, FromNoise, PictureRef
from darkroom.errors import BadPicture, LostInput, NotStored
from darkroom.inputs.normal import Pixels, stored
from darkroom.inputs.shelf import fetch
from darkroom.ledger.protocol import Claim
from darkroom.storage.protocol import ObjectStore
from worker.patience import patiently
from worker.pictures import prepare
from worker.pictures.canvas import BLANK, Canvas


class Inputs:
    """`patience`: seconds a store may be away before a job fails."""

    def __init__(self, store: ObjectStore, patience: float = 60.0) -> None:
        self._store = store
        self._patience = patience

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

    async def pixels(self, tenant: str, ref: PictureRef) -> Pixels:
        """A picture in the store. Raises: LostInput, StoreUnavailable."""
        try:
            png = await patiently(self._patience, lambda: fetch(self._store, tenant, ref.sha256))
            return (await asyncio.to_thread(stored, png)).pixels
        except (NotStored, BadPicture) as error:
            raise LostInput("a picture that the generation begins with is not in the store any more") from error
