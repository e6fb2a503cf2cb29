"""The one way out: what leaves is marked, signed and on record; what fails on the way leaves nothing behind."""

import io
import json
from typing import Any

import c2pa
import numpy as np
import pytest
from PIL import Image

from darkroom.contract.stage import Hires
from darkroom.provenance import NoWatermarker, SigningIdentity
from darkroom.provenance.stamper import ENOUGH_QUALITY
from tests.unit.provenance.house import House
from tests.unit.provenance.making import clouds, resized, shapes, watermarker

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
        "embeddings": [],
        "task": "text_to_image",
        "seed": 7,
        "steps": 20,
        "guidance_scale": 4.5,
        "scheduler": "ddim",
        "width": 128,
        "height": 128,
        "later_stages": [],
        "created_at": "2027-01-15T08:00:00+00:00",
        "versions": {"torch": "2.12.0"},
    }
    created, watermarked = said["c2pa.actions.v2"]["actions"]
    assert (created["action"], watermarked["action"]) == ("c2pa.created", "c2pa.watermarked")
    assert created["digitalSourceType"].endswith("/trainedAlgorithmicMedia")
    assert said["c2pa.soft-binding"]["alg"] == "org.darkroom.tss.1"
    assert said["cawg.training-mining"]["entries"]["cawg.ai_generative_training"] == {"use": "notAllowed"}


async def test_the_size_that_is_signed_is_the_one_of_the_picture_whatever_was_planned(house: House) -> None:
    hires = Hires(width=256, height=192, upscaler="latent", strength=0.7, steps=20, computed_steps=14)
    stamped = await house.issue(shapes(96, 160), later_stages=(hires,))
    said = assertions_of(stamped.data, stamped.media_type, house.identity)["org.darkroom.generation"]
    assert (said["width"], said["height"]) == (160, 96)
    assert said["later_stages"] == [hires.model_dump(mode="json")]


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


@pytest.mark.slow
@pytest.mark.parametrize("output_format", ["jpeg", "webp"])
@pytest.mark.parametrize("quality", [0, pytest.param(10, marks=pytest.mark.slow), 100])
async def test_a_quality_that_would_leave_nothing_of_the_mark_is_raised(
    house: House, output_format: str, quality: int
) -> None:
    stamped = await house.issue(clouds(128, 128), output_format=output_format, output_compression=quality)
    assert (await house.verify(stamped.data)).state == "intact"
    assert stamped.quality in (quality, *ENOUGH_QUALITY)
    assert stamped.quality >= quality


async def test_the_quality_that_was_used_is_told(house: House) -> None:
    told = {"output_format": "jpeg", "output_compression": 95}
    assert (await house.issue(shapes(128, 128), "01A", **told)).quality == 95
    assert (await house.issue(shapes(128, 128), "01A", **told)).quality == 95, "of an adopted picture too"
    assert (await house.issue(shapes(128, 128), "01B")).quality is None


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
