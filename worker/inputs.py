"""A claimed job's pictures: fetched, checked, made into its canvas and maps, before the engine hears of the job."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

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

T = TypeVar("T")


class Inputs:
    """`patience`: seconds a store may be away before a job goes back in line.

    `preprocessors` make the maps; by default those that need no weights. Their thread is their own: it may take a
    minute for a map, and the threads that all else shares finish the pictures that others wait for.
    """

    def __init__(self, store: ObjectStore, patience: float = 60.0, preprocessors: Preprocessors | None = None) -> None:
        self._store = store
        self._patience = patience
        self._preprocessors = preprocessors or Preprocessors(read_preprocessors({}, fresh_sha256), {})
        self._mapping = ThreadPoolExecutor(1, "maps")

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
        plan, tenant = claim.generation, claim.tenant
        return tuple([await self._map(tenant, plan, control) for control in plan.controls])

    async def _map(self, tenant: str, plan: GenerationPlan, control: PlannedControl) -> Pixels:
        """A picture is scaled before its map is made: lines are then as thin as ControlNets know them. It is put in its
        place after: its edge there is no line.
        """
        if not control.preprocess:
            ready = await self.pixels(tenant, control.image)
            return await asyncio.to_thread(lambda: prepare.placed(plan, prepare.steering(plan, ready)))
        self._preprocessors.check(control.type, control.preprocessor)

        def make(picture: Pixels) -> Pixels:
            shown_HW3 = prepare.steering(plan, picture)
            map_HW3 = self._preprocessors.map(control.type, shown_HW3, min(shown_HW3.shape[:2]))
            return prepare.placed(plan, map_HW3)

        return await self.mapped(tenant, control.image, make)

    async def mapped(self, tenant: str, ref: PictureRef, make: Callable[[Pixels], T]) -> T:
        """What `make` makes of a picture in the store, on the thread of maps. It is decoded there too, in its turn:
        however many wait, one picture is in memory.

        Raises: LostInput, StoreUnavailable, and what `make` raises.
        """
        png = await self._fetched(tenant, ref)
        return await asyncio.get_running_loop().run_in_executor(self._mapping, lambda: make(_decoded(png)))

    async def pixels(self, tenant: str, ref: PictureRef) -> Pixels:
        """A picture in the store. Raises: LostInput, StoreUnavailable."""
        return await asyncio.to_thread(_decoded, await self._fetched(tenant, ref))

    async def _fetched(self, tenant: str, ref: PictureRef) -> bytes:
        try:
            return await patiently(self._patience, lambda: fetch(self._store, tenant, ref.sha256))
        except NotStored as error:
            raise _lost() from error


def _decoded(png: bytes) -> Pixels:
    try:
        return stored(png).pixels
    except BadPicture as error:
        raise _lost() from error


def _lost() -> LostInput:
    return LostInput("a picture that the generation begins with is not in the store any more")
