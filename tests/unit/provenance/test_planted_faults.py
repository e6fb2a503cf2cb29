"""A fault at any point between a picture's pixels and its record: what the job says, and what is left in the store."""

import asyncio
import inspect
import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import c2pa
import pytest

from darkroom.contract.job import Failure
from darkroom.errors import DarkroomError, GenerationError, StoreUnavailable, UnmarkedOutput
from darkroom.ledger.protocol import Claim
from darkroom.provenance import Records, SigningIdentity, Stamper, issuing, stamper
from darkroom.provenance.credential import CredentialReader
from darkroom.provenance.signing import CredentialSigner, Signed
from darkroom.provenance.tss.watermarker import TssWatermarker
from darkroom.storage.folder import FolderStore
from tests.integration.ledger.making import plan
from tests.unit.provenance.house import House
from tests.unit.provenance.making import SECRET, shapes, watermarker
from worker.finish import Finisher, failure

CLAIM = Claim(job_id="01JOB", tenant="ann", attempt=1, plan=plan(), lease_until=0.0, waited=0.0)
OURS = str(Path(stamper.__file__).parents[1])
BROKEN = (stamper.__file__, issuing.__file__)
PICTURE, MANIFEST, RECORD = "images/", "provenance/manifests/", "provenance/marks/"


class Shop:
    """A worker's way out, into a folder."""

    def __init__(self, identity: SigningIdentity, root: Path) -> None:
        self.root, self.house = root, House(identity)
        self.store = FolderStore(root)
        self.records = Records(self.store, SECRET)
        made = Stamper(watermarker(), identity, self.records)
        self.finisher = Finisher(made, self.store, "cpu", {}, patience=0.01)

    async def finish(self) -> None:
        await self.finisher.picture(CLAIM, 0, shapes(128, 128))

    async def failed(self) -> Failure:
        with pytest.raises(DarkroomError) as caught:
            await self.finish()
        why = failure(caught.value).failure
        assert why is not None
        return why

    def stored(self) -> list[str]:
        """What kinds of things are in the folder: a mark that is only taken is no record."""
        kinds = {kind for kind in (PICTURE, MANIFEST) if self._files(kind)}
        return sorted(kinds | {RECORD for entry in self._entries() if entry["kind"] != "reserved"})

    async def hold_together(self) -> None:
        """A picture is intact and has its manifest, and a record has its picture."""
        pictures = [path.read_bytes() for path in self._files(PICTURE)]
        for data in pictures:
            verdict = await self.house.verify(data)
            assert verdict.state == "intact"
            assert await self.records.manifest(str(verdict.manifest_id))
        assert RECORD not in self.stored() or len(pictures) == 1

    def _files(self, kind: str) -> list[Path]:
        return [path for path in (self.root / kind).rglob("*") if path.is_file()]

    def _entries(self) -> list[Any]:
        return [json.loads(path.read_bytes()) for path in self._files(RECORD)]


@pytest.fixture
def shop(identity: SigningIdentity, tmp_path: Path) -> Shop:
    return Shop(identity, tmp_path / "store")


Plant = Callable[[pytest.MonkeyPatch], None]


def away(kind: str) -> Plant:
    """A store that takes nothing of this kind, but for the marks that are only taken."""
    real = FolderStore.put

    async def put(self: FolderStore, key: str, data: bytes, **how: Any) -> bool:
        if key.startswith(kind) and b'"reserved"' not in data:
            raise StoreUnavailable("away")
        return await real(self, key, data, **how)

    return lambda patch: patch.setattr(FolderStore, "put", put)


def answers(owner: object, name: str, answer: Callable[..., Any]) -> Plant:
    return lambda patch: patch.setattr(owner, name, answer)


def raises(owner: object, name: str, error: Exception) -> Plant:
    def broken(*_: object, **__: object) -> None:
        raise error

    return answers(owner, name, broken)


def another_picture(*_: object) -> Any:
    return shapes(128, 128, 9)


UNMARKED, UNSIGNED, AWAY = ("unmarked_output", False), ("unsigned_output", False), ("store_unavailable", True)
FAULTS: dict[str, tuple[Plant, tuple[str, bool], list[str]]] = {
    "watermark": (raises(TssWatermarker, "embed", UnmarkedOutput("no")), UNMARKED, []),
    "encode": (raises(stamper, "encode", GenerationError("full")), ("generation_failed", False), []),
    "sign": (raises(c2pa, "Builder", c2pa.C2paError("the key is away")), UNSIGNED, []),
    "leave unsigned": (answers(CredentialSigner, "sign", lambda _, data, *__: Signed(data, b"")), UNSIGNED, []),
    "read the mark": (answers(stamper, "decode", another_picture), UNMARKED, []),
    "read the credential": (answers(CredentialReader, "read", lambda *_: None), UNSIGNED, []),
    "store the manifest": (away(MANIFEST), AWAY, []),
    "store the picture": (away(PICTURE), AWAY, [MANIFEST]),
    "store the record": (away(RECORD), AWAY, [PICTURE, MANIFEST]),
}


@pytest.mark.parametrize("stage", FAULTS)
async def test_a_fault_fails_the_job_by_name_and_leaves_no_picture_that_is_not_whole(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    plant, said, left = FAULTS[stage]
    with monkeypatch.context() as patch:
        plant(patch)
        why = await shop.failed()
    assert (why.code, why.retryable) == said
    assert shop.stored() == left
    await shop.hold_together()


class Planted(Exception):
    """What no code expects."""


class Planter:
    """Breaks the call number `at` that stamper or issue make to a function of ours; 0 only counts."""

    def __init__(self, at: int) -> None:
        self.at, self.calls = at, 0

    def __call__(self, frame: FrameType, event: str, _: object) -> None:
        caller, code = frame.f_back, frame.f_code
        if event == "call" and caller and caller.f_code.co_filename in BROKEN and _may_break(code):
            self.calls += 1
            if self.calls == self.at:
                raise Planted(code.co_qualname)


def _may_break(code: CodeType) -> bool:
    """Not what also runs when an object is thrown away, where nothing can be raised."""
    generator = code.co_flags & inspect.CO_GENERATOR
    return code.co_filename.startswith(OURS) and not generator and code.co_name != "__del__"


async def finish_with(shop: Shop, planter: Planter) -> None:
    sys.setprofile(planter)
    try:
        await shop.finish()
    finally:
        sys.setprofile(None)


@pytest.mark.slow
async def test_whichever_call_of_the_stamper_breaks_nothing_is_left_that_is_not_whole(
    identity: SigningIdentity, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def here(call: Callable[..., Any], *about: Any, **named: Any) -> Any:
        return call(*about, **named)

    monkeypatch.setattr(asyncio, "to_thread", here)  # a profile is of one thread
    counted = Planter(0)
    await finish_with(Shop(identity, tmp_path / "whole"), counted)
    assert counted.calls > len(FAULTS)

    for at in range(1, counted.calls + 1):
        shop = Shop(identity, tmp_path / str(at))
        with pytest.raises(Planted):
            await finish_with(shop, Planter(at))
        await shop.hold_together()
        await shop.finish()
        assert shop.stored() == [PICTURE, MANIFEST, RECORD]
        await shop.hold_together()
