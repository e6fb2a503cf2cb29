"""The one way out: what leaves is marked, signed and on record; what fails on the way leaves nothing behind."""

import io
import json
import pickle
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import c2pa
import numpy as np
import pytest
from PIL import Image

from darkroom.errors import DarkroomError, GenerationError, StoreUnavailable, UnmarkedOutput, UnsignedOutput
from darkroom.provenance import Mark, NoWatermarker, SigningIdentity
from darkroom.provenance import stamper as module
from darkroom.provenance.signing import CredentialSigner, Signed
from darkroom.provenance.tss.watermarker import TssWatermarker
from tests.unit.provenance.certificates import Authority
from tests.unit.provenance.house import House
from tests.unit.provenance.making import MARK_ID, RGB, clouds, facts, resized, shapes, watermarker

FORMATS = ["png", "jpeg", "webp"]


def report(data: bytes, media_type: str, identity: SigningIdentity) -> dict[str, Any]:
    """What c2pa-python itself says, past all code of ours."""
    settings = {"trust": {"user_anchors": identity.anchor_pem}}
    with (
        c2pa.Context.from_dict(settings) as context,
        c2pa.Reader(media_type, io.BytesIO(data), context=context) as reader,
    ):
        read: dict[str, Any] = json.loads(reader.json())
        return read


def assertions_of(data: bytes, media_type: str, identity: SigningIdentity) -> dict[str, Any]:
    read = report(data, media_type, identity)
    return {entry["label"]: entry["data"] for entry in read["manifests"][read["active_manifest"]]["assertions"]}


@pytest.mark.parametrize("output_format", FORMATS)
async def test_what_leaves_reads_back_with_the_facts_that_were_put_in(house: House, output_format: str) -> None:
    lora = {"model": "neon", "sha256": "ab" * 32, "weight": 0.8}
    stamped = await house.issue(output_format=output_format, loras=(lora,))
    read = report(stamped.data, stamped.media_type, house.identity)
    active = read["manifests"][read["active_manifest"]]
    said = assertions_of(stamped.data, stamped.media_type, house.identity)

    assert read["validation_state"] == "Trusted"
    assert read["active_manifest"] == stamped.manifest_id
    assert active["claim_generator_info"][0]["name"] == "darkroom"
    assert active["title"] == "01JOB-0"
    assert active["signature_info"]["common_name"] == "darkroom DEVELOPMENT ONLY claim signer"
    assert said["org.darkroom.generation"] == {
        "model": "tiny",
        "weights_sha256": "1d2bf7658da4ebf4f4679b8aac891318deaae835cd022b0d052146ba6486133a",
        "loras": [{"sha256": "ab" * 32, "weight": 0.8}],
        "task": "text_to_image",
        "seed": 7,
        "steps": 20,
        "guidance_scale": 4.5,
        "scheduler": "ddim",
        "width": 128,
        "height": 128,
        "created_at": "2027-01-15T08:00:00+00:00",
        "versions": {"torch": "2.12.0"},
    }
    created, watermarked = said["c2pa.actions.v2"]["actions"]
    assert (created["action"], watermarked["action"]) == ("c2pa.created", "c2pa.watermarked")
    assert created["digitalSourceType"].endswith("/trainedAlgorithmicMedia")
    assert said["c2pa.soft-binding"]["alg"] == "org.darkroom.tss.1"
    assert said["cawg.training-mining"]["entries"]["cawg.ai_generative_training"] == {"use": "notAllowed"}


@pytest.mark.parametrize("output_format", FORMATS)
async def test_neither_prompt_nor_tenant_leaves_with_the_picture(house: House, output_format: str) -> None:
    stamped = await house.issue(output_format=output_format, metadata={"customer": "secret-customer"})
    for word in (b"canary", b"coal mine", b"ann-the-tenant", b"secret-customer"):
        assert word not in stamped.data
        assert word not in stamped.manifest


@pytest.mark.parametrize(("output_format", "media"), [("png", "PNG"), ("jpeg", "JPEG"), ("webp", "WEBP")])
async def test_what_leaves_tells_the_truth_about_itself(house: House, output_format: str, media: str) -> None:
    stamped = await house.issue(shapes(96, 160), output_format=output_format)
    picture = Image.open(io.BytesIO(stamped.data))
    assert picture.format == media
    assert (stamped.width, stamped.height) == picture.size == (160, 96)
    assert stamped.data == await house.store.get("images/01JOB/0")
    mark = watermarker().identify(np.asarray(picture.convert("RGB")))
    assert mark is not None
    assert f"{mark.mark_id:012x}" == stamped.watermark_id
    assert b"trainedAlgorithmicMedia" in (picture.info.get("xmp") or picture.info["XML:com.adobe.xmp"].encode())


@pytest.mark.slow
async def test_a_large_picture_tells_its_own_size(house: House) -> None:
    stamped = await house.issue(resized(shapes(256, 320), 8), output_format="jpeg")
    assert (stamped.width, stamped.height) == (2560, 2048)
    assert (stamped.record.width, stamped.record.height) == (2560, 2048)


@pytest.mark.parametrize("output_format", ["jpeg", "webp"])
@pytest.mark.parametrize("quality", [0, pytest.param(10, marks=pytest.mark.slow), 100])
async def test_a_quality_that_would_leave_nothing_of_the_mark_is_raised(
    house: House, output_format: str, quality: int
) -> None:
    stamped = await house.issue(clouds(128, 128), output_format=output_format, output_compression=quality)
    assert (await house.verify(stamped.data)).state == "intact"


async def test_a_picture_of_one_job_has_one_mark_and_others_have_others(house: House) -> None:
    first = await house.records.reserve("job", 0)
    assert await house.records.reserve("job", 0) == first
    others = {await house.records.reserve("job", 1), await house.records.reserve("other", 0)}
    assert len(others | {first}) == 3


async def test_a_second_attempt_comes_to_what_the_first_stored(house: House) -> None:
    first = await house.issue()
    second = await house.issue(clouds(128, 128))
    assert (second.data, second.manifest_id, second.sha256) == (first.data, first.manifest_id, first.sha256)
    assert (await house.verify(second.data)).manifest_id == first.manifest_id


async def test_the_record_leads_to_the_manifest_that_was_signed(house: House) -> None:
    stamped = await house.issue()
    record = await house.records.find(int(stamped.watermark_id, 16))
    assert record == stamped.record
    assert record.manifest_id == stamped.manifest_id
    assert await house.records.manifest(record.manifest_id) == stamped.manifest
    assert stamped.manifest in stamped.data


async def test_without_a_watermark_a_picture_claims_none(identity: SigningIdentity) -> None:
    house = House(identity, NoWatermarker())
    stamped = await house.issue()
    said = assertions_of(stamped.data, stamped.media_type, identity)
    assert stamped.watermark_id == ""
    assert "c2pa.soft-binding" not in said
    assert [action["action"] for action in said["c2pa.actions.v2"]["actions"]] == ["c2pa.created"]
    assert (await house.verify(stamped.data)).state == "intact"


# --- fail closed -----------------------------------------------------------------------------------------------------


class Forgetful(TssWatermarker):
    """Marks nothing, and does not notice."""

    def embed(self, rgb_HWC: RGB, mark_id: int) -> RGB:
        return rgb_HWC


class Mistaken(TssWatermarker):
    """Marks with another id than it was told."""

    def embed(self, rgb_HWC: RGB, mark_id: int) -> RGB:
        return super().embed(rgb_HWC, mark_id ^ 1)


class Blind(TssWatermarker):
    """Reads nothing."""

    def identify(self, rgb_HWC: RGB) -> Mark | None:
        return None


class Refusing(TssWatermarker):
    """Cannot mark."""

    def embed(self, rgb_HWC: RGB, mark_id: int) -> RGB:
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
    house = House(identity, fault(bytes(range(32))))
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
    monkeypatch.setattr(module, "manifest", lambda told, alg, mark_id: real(told, alg, mark_id ^ 1))
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


@pytest.mark.parametrize("part", ["provenance/manifests", "images", "provenance/marks"])
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


def test_threads_may_share_a_stamper(house: House) -> None:
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda index: house.stamper.stamp(shapes(64, 64), facts(index=index), index), range(8)))
    assert len({stamped.manifest_id for stamped in made}) == 8


def test_native_tools_do_not_cross_processes(house: House) -> None:
    with pytest.raises(TypeError, match="do not cross processes"):
        pickle.dumps(house.stamper._signer._tools)
