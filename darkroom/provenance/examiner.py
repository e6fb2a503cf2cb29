"""Looking at the pictures that another is to be made from: their marks, and the credentials that they came with."""

import io
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Final, TypeVar

from darkroom.errors import BadPicture, CapacityError
from darkroom.provenance.ancestry import Input
from darkroom.provenance.carrying import InputCredential, Taken
from darkroom.provenance.inspection.inspector import CarryingInspector

UNSEEN_MARK: Final = "it could not be examined for a watermark"
UNSEEN_CREDENTIAL: Final = "its content credential could not be examined and is not carried on"
UNFITTING: Final = "its content credential cannot be carried on together with that of another input"

T = TypeVar("T")


class Examiner:
    """Has inputs looked at by somebody whose end is not ours: an input never fails the job that it is for."""

    def __init__(self, inspector: CarryingInspector) -> None:
        self._inspector = inspector

    async def examined(self, given: Input, png: bytes, original: bytes | None) -> tuple[Input, tuple[str, ...]]:
        """The input with its mark, from our PNG of it, and the credential of the file that was sent. Then what of
        either could not be had, and why.
        """
        mark, unseen = await self._mark(png)
        taken = await self._taken(original) if original else Taken()
        return replace(given, mark=mark, credential=taken.credential), tuple(filter(None, (unseen, taken.why_not)))

    async def fitting(self, inputs: Sequence[Input]) -> tuple[tuple[Input, ...], tuple[int, ...]]:
        """The inputs, of whose credentials one manifest can carry all; and the places of those that lost theirs."""
        kept: list[InputCredential] = []
        lost: list[int] = []
        for place, each in enumerate(inputs):
            if each.credential is None:
                continue
            if not kept or await self._fit([*kept, each.credential]):
                kept.append(each.credential)
            else:
                lost.append(place)
        return tuple(replace(each, credential=None) if place in lost else each for place, each in enumerate(inputs)), (
            *lost,
        )

    async def _mark(self, png: bytes) -> tuple[tuple[str, int] | None, str]:
        try:
            evidence = await _again(lambda: self._inspector.inspect(io.BytesIO(png)))
        except (BadPicture, CapacityError):
            return None, UNSEEN_MARK
        return ((evidence.alg, evidence.mark.mark_id) if evidence.mark else None), ""

    async def _taken(self, original: bytes) -> Taken:
        try:
            return await _again(lambda: self._inspector.take(io.BytesIO(original)))
        except (BadPicture, CapacityError):
            return Taken(why_not=UNSEEN_CREDENTIAL)

    async def _fit(self, credentials: Sequence[InputCredential]) -> bool:
        try:
            return await _again(lambda: self._inspector.fit(credentials))
        except (BadPicture, CapacityError):
            return False


async def _again(look: Callable[[], Awaitable[T]]) -> T:
    """Once more where somebody interrupted it: what is not carried on now is lost for good."""
    try:
        return await look()
    except CapacityError:
        return await look()
