"""A claimed job's pictures: fetched, checked, made into its canvas and maps, before the engine hears of the job."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from darkroom.catalog.preprocessors import read_preprocessors
from darkroom.catalog.weights import fresh_sha256
from darkroom.contract.controlnet import PlannedControl
from darkroom.contract.job import Plan
from darkroom.contract.plan import GenerationPlan, Notice
from darkroom.contract.preprocess import PreprocessPlan
from darkroom.contract.safety import SafetyVerdict
from darkroom.contract.start import FromImage, FromMask, FromNoise, PictureRef
from darkroom.errors import BadPicture, LostInput, NotStored
from darkroom.inputs.normal import Pixels, flatten, stored
from darkroom.inputs.shelf import fetch
from darkroom.ledger.protocol import Claim
from darkroom.storage.protocol import ObjectStore
from darkroom.tracing import span
from worker.patience import patiently
from worker.pictures import prepare
from worker.pictures.canvas import BLANK, Canvas
from worker.pictures.overlay import close_up
from worker.preprocessors.preprocessing import Preprocessors
from worker.screening import Screening, refuse_blocked

T = TypeVar("T")


@dataclass(frozen=True)
class LookedAt:
    """What was found in the pictures that a job begins with, and what is to be said of it."""

    verdicts: tuple[SafetyVerdict, ...] = ()
    notices: tuple[Notice, ...] = ()


class Inputs:
    """`patience`: seconds a store may be away before a job goes back in line.

    `preprocessors` make the maps; by default those that need no weights. Their thread is their own: it may take a
    minute for a map, and the threads that all else shares finish the pictures that others wait for.
    """

    def __init__(
        self,
        store: ObjectStore,
        patience: float = 60.0,
        preprocessors: Preprocessors | None = None,
        screening: Screening | None = None,
    ) -> None:
        self.screening = screening or Screening()
        self._store = store
        self._patience = patience
        self._preprocessors = preprocessors or Preprocessors(read_preprocessors({}, fresh_sha256), {})
        self._mapping = ThreadPoolExecutor(1, "maps")

    async def prepared(self, claim: Claim) -> tuple[Canvas, tuple[Pixels, ...], LookedAt]:
        """All that the job's generation needs besides its plan, and what was found in its pictures, which comes first.
        Raises: as `looked_at`, `canvas` and `maps`."""
        with span("prepare"):
            looked_at = await self.looked_at(claim)
            return await self.canvas(claim), await self.maps(claim), looked_at

    async def looked_at(self, claim: Claim) -> LookedAt:
        """What was found in the pictures that the job begins with, each as its maker sees it, one after the other.

        Masks are not looked at: nothing of them is seen. Raises: Withheld, SafetyUnavailable, LostInput,
            StoreUnavailable.
        """
        policy, verdicts, missed = claim.plan.safety.input, list[SafetyVerdict](), list[str]()
        if policy == "off":
            return LookedAt()
        for subject, ref, ground in _seen_of(claim.plan):
            seen = flatten(await self.pixels(claim.tenant, ref), ground)
            closer = _closer(claim.plan, seen) if subject == "image" else ()
            verdict = (await self.screening.look("input", policy, subject, seen, *closer)).verdict
            verdicts += [verdict] if verdict else []
            missed += [] if verdict else [subject]
        refuse_blocked(tuple(verdicts))
        reason = f"nobody could look at {', '.join(missed)}"
        return LookedAt(tuple(verdicts), (Notice(field="safety.input", reason=reason),) if missed else ())

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


def _seen_of(plan: Plan) -> Iterator[tuple[str, PictureRef, int]]:
    """The pictures that a job begins with, each with its field in the request, and the grey behind what is transparent
    in it."""
    if isinstance(plan, PreprocessPlan):
        yield "image", plan.image, prepare.NO_LINES
        return
    if not isinstance(plan.start, FromNoise):
        yield "image", plan.start.image, prepare.GROUND
    for index, control in enumerate(plan.controls):
        yield f"controlnets.{index}.image", control.image, prepare.NO_LINES


def _closer(plan: Plan, image_HW3: Pixels) -> tuple[Pixels, ...]:
    """The part of the picture that is made anew, where that is all that its maker sees."""
    if isinstance(plan, GenerationPlan) and isinstance(plan.start, FromMask):
        return close_up(image_HW3, plan.start.seen)
    return ()


def _decoded(png: bytes) -> Pixels:
    try:
        return stored(png).pixels
    except BadPicture as error:
        raise _lost() from error


def _lost() -> LostInput:
    return LostInput("a picture that the generation begins with is not in the store any more")
