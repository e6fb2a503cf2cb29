"""What fails on the way out leaves nothing behind."""

import json
import pickle
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import c2pa
import pytest

from darkroom.errors import DarkroomError, GenerationError, StoreUnavailable, UnmarkedOutput, UnsignedOutput
from darkroom.provenance import Mark, SigningIdentity
from darkroom.provenance import stamper as module
from darkroom.provenance.signing import CredentialSigner, Signed
from darkroom.provenance.tss.watermarker import TssWatermarker
from darkroom.provenance.watermark import Embedded, mark_value
from tests.unit.provenance.certificates import Authority
from tests.unit.provenance.house import House
from tests.unit.provenance.making import MARK_ID, RGB, facts, shapes, watermarker

FORMATS = ["png", "jpeg", "webp"]


class Forgetful(TssWatermarker):
    """Marks nothing, and does not notice."""

    def embed(self, rgb_HWC: RGB, mark_id: int) -> Embedded:
        return replace(super().embed(rgb_HWC, mark_id), rgb_HWC=rgb_HWC)


class Mistaken(TssWatermarker):
    """Marks with another id than it was told."""

    def embed(self, rgb_HWC: RGB, mark_id: int) -> Embedded:
        return super().embed(rgb_HWC, mark_id ^ 1)


class Blind(TssWatermarker):
    """Reads nothing."""

    def identify(self, rgb_HWC: RGB) -> Mark | None:
        return None


class Refusing(TssWatermarker):
    """Cannot mark."""

    def embed(self, rgb_HWC: RGB, mark_id: int) -> Embedded:
        raise UnmarkedOutput("no")


async def nothing_is_stored(house: House, expected: type[DarkroomError], **changed: Any) -> None:
    """Not a picture, not a manifest, not a record: only that the mark is taken."""
    with pytest.raises(expected):
        await house.issue(**changed)
    assert house.stored() == ["provenance/marks"]
    (reserved,) = [json.loads(data) for data in house.store._objects.values()]
    assert reserved["kind"] == "reserved"


@pytest.mark.parametrize(
    ("fault", "output_format"), [(Forgetful, "png"), (Mistaken, "png"), (Blind, "webp"), (Refusing, "jpeg")]
)
async def test_a_fault_of_the_watermark_lets_nothing_out(
    identity: SigningIdentity, fault: type[TssWatermarker], output_format: str
) -> None:
    house = House(identity, fault.of(bytes(range(32))))
    await nothing_is_stored(house, UnmarkedOutput, output_format=output_format)


@pytest.mark.parametrize("encoder", ["garbage", "another picture", "half a picture", "nothing"])
async def test_a_fault_of_the_encoder_lets_nothing_out(
    house: House, monkeypatch: pytest.MonkeyPatch, encoder: str
) -> None:
    real = module.encode
    monkeypatch.setattr(
        module,
        "encode",
        {
            "garbage": lambda *_: b"garbage",
            "another picture": lambda _rgb, *rest: real(shapes(128, 128, 5), *rest),
            "half a picture": lambda *all_: real(*all_)[:2000],
            "nothing": lambda *_: b"",
        }[encoder],
    )
    await nothing_is_stored(house, UnmarkedOutput if encoder == "another picture" else DarkroomError)


@pytest.mark.parametrize(
    ("output_format", "encoder"),
    [("png", "cv2.imencode"), ("jpeg", "PIL.Image.Image.save"), ("webp", "PIL.Image.Image.save")],
)
async def test_an_encoder_that_breaks_lets_nothing_out(
    house: House, monkeypatch: pytest.MonkeyPatch, output_format: str, encoder: str
) -> None:
    picture = watermarker().embed(shapes(128, 128), MARK_ID)
    monkeypatch.setattr(TssWatermarker, "embed", lambda *_: picture)

    def broken(*_: object, **__: object) -> None:
        raise OSError("encoder error -2")

    monkeypatch.setattr(encoder, broken)
    await nothing_is_stored(house, GenerationError, output_format=output_format)


@pytest.mark.parametrize("output_format", FORMATS)
async def test_a_file_that_was_not_signed_does_not_leave(
    house: House, monkeypatch: pytest.MonkeyPatch, output_format: str
) -> None:
    monkeypatch.setattr(CredentialSigner, "sign", lambda _self, data, *_: Signed(data, b""))
    await nothing_is_stored(house, UnsignedOutput, output_format=output_format)


@pytest.mark.parametrize("output_format", FORMATS)
async def test_a_file_that_changed_after_signing_does_not_leave(
    house: House, monkeypatch: pytest.MonkeyPatch, output_format: str
) -> None:
    real = CredentialSigner.sign

    def sign(self: CredentialSigner, *about: Any) -> Signed:
        signed = real(self, *about)
        return Signed(signed.data + b"\0", signed.manifest)

    monkeypatch.setattr(CredentialSigner, "sign", sign)
    await nothing_is_stored(house, UnsignedOutput, output_format=output_format)


async def test_a_credential_that_names_another_mark_does_not_leave(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = module.manifest
    monkeypatch.setattr(module, "manifest", lambda told, alg, _, *rest: real(told, alg, mark_value(1), *rest))
    await nothing_is_stored(house, UnsignedOutput)


async def test_a_signer_that_fails_lets_nothing_out(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise c2pa.C2paError("the key is away")

    monkeypatch.setattr(c2pa, "Builder", refuse)
    await nothing_is_stored(house, UnsignedOutput)


async def test_a_key_of_another_certificate_lets_nothing_out(identity: SigningIdentity) -> None:
    other = Authority().signer()
    wrong = replace(identity, key_pem=other.key_pem)
    await nothing_is_stored(House(wrong), UnsignedOutput)


async def test_a_reader_that_finds_no_credential_lets_nothing_out(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(house.stamper._reader, "read", lambda *_: None)
    await nothing_is_stored(house, UnsignedOutput)


async def test_a_picture_too_small_for_the_mark_does_not_leave(house: House) -> None:
    await nothing_is_stored(house, UnmarkedOutput, rgb_HWC=shapes(56, 128))


@pytest.mark.parametrize("part", ["provenance/expiring", "provenance/manifests", "images", "provenance/marks"])
async def test_a_store_that_goes_away_in_between_leaves_no_picture_without_its_manifest(
    house: House, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    real = house.store.put

    async def put(key: str, data: bytes, **how: Any) -> bool:
        if key.startswith(part) and b'"reserved"' not in data:
            raise StoreUnavailable("away")
        return await real(key, data, **how)

    with monkeypatch.context() as away:
        away.setattr(house.store, "put", put)
        with pytest.raises(StoreUnavailable):
            await house.issue()
    assert "images/01JOB" not in house.stored() or "provenance/manifests" in house.stored()

    stamped = await house.issue()
    assert (await house.verify(stamped.data)).state == "intact"
    assert await house.records.find(int(stamped.watermark_id, 16)) == stamped.record


@pytest.mark.slow
def test_threads_may_share_a_stamper(house: House) -> None:
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda index: house.stamper.stamp(shapes(64, 64), facts(index=index), index), range(8)))
    assert len({stamped.manifest_id for stamped in made}) == 8


def test_native_tools_do_not_cross_processes(house: House) -> None:
    with pytest.raises(TypeError, match="do not cross processes"):
        pickle.dumps(house.stamper._signer._by_key)
