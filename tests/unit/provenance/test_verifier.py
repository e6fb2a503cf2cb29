"""What verify says of pictures, whatever became of them."""

import io
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from darkroom.errors import BadPicture
from darkroom.provenance import SigningIdentity, State, TssWatermarker
from darkroom.provenance.inspection.inspector import InspectorHere
from darkroom.provenance.verdict import WORDS
from tests.unit.provenance.house import House
from tests.unit.provenance.making import (
    MARK_ID,
    clouds,
    cropped,
    decoded,
    encoded,
    resized,
    saved_as,
    shapes,
    watermarker,
)
from tests.unit.provenance.splicing import spliced

FORMATS = ["png", "jpeg", "webp"]


@pytest.mark.parametrize("output_format", FORMATS)
async def test_a_picture_as_it_left_is_intact(house: House, output_format: str) -> None:
    stamped = await house.issue(output_format=output_format)
    verdict = await house.verify(stamped.data)
    assert verdict.state is State.INTACT
    assert verdict.means == ("credential", "watermark")
    assert (verdict.manifest_id, verdict.watermark_id) == (stamped.manifest_id, stamped.watermark_id)
    assert verdict.signer is not None
    assert (verdict.signer.trusted, verdict.signer.development) == (True, True)
    assert "a development certificate" in verdict.text
    assert "trusted signer" not in verdict.text
    assert verdict.generation is not None
    assert (verdict.generation.model, verdict.generation.seed) == ("tiny", 7)
    assert "canary" not in verdict.model_dump_json()


@pytest.mark.parametrize("output_format", FORMATS)
@pytest.mark.parametrize("size", [(128, 128), pytest.param((192, 256), marks=pytest.mark.slow)])
async def test_a_stripped_picture_saved_as_jpeg_75_leads_back_to_its_manifest(
    house: House, size: tuple[int, int], output_format: str
) -> None:
    other = await house.issue(clouds(*size), "01OTHER", output_format=output_format)
    stamped = await house.issue(shapes(*size), output_format=output_format)
    verdict = await house.verify(encoded(decoded(stamped.data), "JPEG", quality=75))
    assert verdict.state is State.RECOVERED
    assert verdict.means == ("watermark",)
    assert verdict.manifest_id == stamped.manifest_id != other.manifest_id
    assert verdict.watermark_id == stamped.watermark_id
    assert verdict.signer is not None
    assert verdict.signer.trusted
    assert verdict.generation is not None
    assert verdict.generation.created_at == "2027-01-15T08:00:00+00:00"


CHANGES: dict[str, Any] = {
    "WebP 80": lambda rgb: saved_as(rgb, "WEBP", 80),
    "a crop": lambda rgb: cropped(rgb, 0.2),
    "a crop, then JPEG": lambda rgb: saved_as(cropped(rgb, 0.25), "JPEG", 75),
    "half the size": lambda rgb: resized(rgb, 0.5),
    "a flip": lambda rgb: rgb[:, ::-1],
    "a quarter turn": lambda rgb: np.rot90(rgb),
    "a mirrored turn": lambda rgb: np.rot90(rgb, 3)[:, ::-1],
    "stretching": lambda rgb: cv2.resize(rgb, (320, 320), interpolation=cv2.INTER_AREA),
    "grey": lambda rgb: np.repeat(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)[..., None], 3, 2),
}


@pytest.mark.slow
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("draw", [shapes, pytest.param(clouds, marks=pytest.mark.slow)])
async def test_a_changed_picture_is_recovered_and_still_looks_like_itself(house: House, draw: Any, change: str) -> None:
    stamped = await house.issue(draw(192, 256))
    verdict = await house.verify_pixels(np.ascontiguousarray(CHANGES[change](decoded(stamped.data))))
    assert (verdict.state, verdict.manifest_id) == (State.RECOVERED, stamped.manifest_id)


async def test_a_picture_turned_by_its_exif_is_recovered(house: House) -> None:
    stamped = await house.issue(shapes(128, 192))
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = np.rot90(cropped(decoded(stamped.data), 0.1))
    verdict = await house.verify(encoded(turned, "JPEG", quality=90, exif=exif))
    assert (verdict.state, verdict.manifest_id) == (State.RECOVERED, stamped.manifest_id)


@pytest.mark.parametrize("kind", ["RGBA", "I;16", "L", "P", "CMYK"])
async def test_a_picture_saved_in_another_kind_of_pixel_is_recovered(house: House, kind: str) -> None:
    stamped = await house.issue(shapes(128, 128))
    picture = Image.fromarray(decoded(stamped.data))
    if kind == "I;16":
        picture = Image.fromarray(np.asarray(picture.convert("L")).astype(np.uint16) << 8)
    else:
        picture = picture.quantize(256) if kind == "P" else picture.convert(kind)
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG" if kind == "CMYK" else "PNG")
    verdict = await house.verify(buffer.getvalue())
    assert (verdict.state, verdict.manifest_id) == (State.RECOVERED, stamped.manifest_id)


# --- tampering -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("output_format", FORMATS)
async def test_a_byte_changed_after_signing_makes_it_modified(house: House, output_format: str) -> None:
    stamped = await house.issue(output_format=output_format)
    verdict = await house.verify(stamped.data + b"\0")
    assert verdict.state is State.MODIFIED_RECOVERED
    assert verdict.means == ("credential", "watermark")
    assert verdict.manifest_id == stamped.manifest_id


@pytest.mark.parametrize("output_format", FORMATS)
async def test_a_changed_picture_whose_mark_leads_nowhere_is_modified(
    house: House, identity: SigningIdentity, output_format: str
) -> None:
    stamped = await house.issue(output_format=output_format)
    verdict = await House(identity).verify(stamped.data + b"\0")
    assert verdict.state is State.MODIFIED
    assert verdict.generation is None
    assert verdict.signer is None or not verdict.signer.trusted


@pytest.mark.slow
@pytest.mark.parametrize("output_format", FORMATS)
async def test_a_credential_spliced_into_another_picture_is_modified(house: House, output_format: str) -> None:
    stamped = await house.issue(output_format=output_format)
    elsewhere = encoded(shapes(128, 128, 9), output_format.upper())
    verdict = await house.verify(spliced(stamped.data, elsewhere, output_format))
    assert (verdict.state, verdict.means, verdict.watermark_id) == (State.MODIFIED, ("credential",), None)


@pytest.mark.parametrize("output_format", FORMATS)
async def test_a_credential_spliced_into_another_picture_of_ours_leads_to_that_ones_record(
    house: House, output_format: str
) -> None:
    stamped = await house.issue(output_format=output_format)
    other = await house.issue(clouds(128, 128), "01OTHER", output_format=output_format)
    assert (await house.verify(spliced(other.data, other.data, output_format))).state is not State.CONFLICT
    verdict = await house.verify(spliced(stamped.data, other.data, output_format))
    assert (verdict.state, verdict.manifest_id) == (State.MODIFIED_RECOVERED, other.manifest_id)


@pytest.mark.slow
@pytest.mark.parametrize("output_format", FORMATS)
async def test_a_bit_flipped_anywhere_in_a_picture_is_noticed(house: House, output_format: str) -> None:
    """Outside the manifest, whose padding is nobody's word and may hold anything."""
    stamped = await house.issue(shapes(64, 64), output_format=output_format)
    begin = stamped.data.index(stamped.manifest)
    end = begin + len(stamped.manifest)
    for position in (*range(0, begin - 16, 7), *range(end + 4, len(stamped.data), len(stamped.data) // 30)):
        changed = bytearray(stamped.data)
        changed[position] ^= 4
        try:
            verdict = await house.verify(bytes(changed))
        except BadPicture:
            continue
        assert verdict.state not in (State.INTACT, State.INTACT_UNTRUSTED_SIGNER), position


@pytest.mark.parametrize("word", [b"c2pa.created", b"trainedAlgorithmicMedia", b"org.darkroom.tss.1", b"DEVELOPMENT"])
async def test_a_word_changed_in_a_credential_is_noticed(house: House, word: bytes) -> None:
    stamped = await house.issue(output_format="webp")
    changed = stamped.manifest.replace(word, word[:-1] + b"X")
    assert changed != stamped.manifest
    verdict = await house.verify(stamped.data.replace(stamped.manifest, changed))
    assert verdict.state is State.MODIFIED_RECOVERED


@pytest.mark.parametrize("output_format", ["png", "jpeg"])
@pytest.mark.parametrize("share", [0.9, 0.99])
async def test_a_signed_picture_that_breaks_off_is_modified(house: House, output_format: str, share: float) -> None:
    stamped = await house.issue(clouds(128, 128), output_format=output_format)
    verdict = await house.verify(stamped.data[: int(len(stamped.data) * share)])
    assert verdict.state is State.MODIFIED
    assert verdict.means == ("credential",)


async def test_a_signed_webp_that_breaks_off_is_no_picture(house: House) -> None:
    """Its decoder takes no part for a beginning."""
    stamped = await house.issue(clouds(128, 128), output_format="webp")
    for share in (0.2, 0.9, 0.99):
        with pytest.raises(BadPicture):
            await house.verify(stamped.data[: int(len(stamped.data) * share)])


# --- marks that are not the picture's ---------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(128, 128), pytest.param((256, 256), marks=pytest.mark.slow)])
async def test_a_mark_copied_onto_another_picture_is_a_mismatch(house: House, size: tuple[int, int]) -> None:
    plain = shapes(*size)
    stamped = await house.issue(plain)
    residual = decoded(stamped.data).astype(int) - plain
    forged = np.clip(clouds(*size, seed=4) + 3 * residual, 0, 255).astype(np.uint8)
    verdict = await house.verify_pixels(forged)
    assert verdict.state is State.MARK_MISMATCH
    assert verdict.watermark_id == stamped.watermark_id
    assert verdict.generation is None
    assert verdict.signer is None or not verdict.signer.trusted


async def test_a_mark_that_was_never_issued_is_unknown(house: House) -> None:
    verdict = await house.verify_pixels(watermarker().embed(shapes(128, 128), MARK_ID).rgb_HWC)
    assert (verdict.state, verdict.watermark_id, verdict.manifest_id) == (State.UNKNOWN_ID, f"{MARK_ID:012x}", None)


async def test_a_mark_that_is_only_reserved_is_unknown(house: House) -> None:
    mark_id = await house.records.reserve("job", 0)
    assert (await house.verify_pixels(watermarker().embed(shapes(128, 128), mark_id).rgb_HWC)).state is State.UNKNOWN_ID


@pytest.mark.parametrize("damage", ["gone", "garbage", "another's"])
async def test_a_record_without_its_manifest_proves_nothing(house: House, damage: str) -> None:
    stamped, other = await house.issue(), await house.issue(clouds(128, 128), "01OTHER")
    key = f"provenance/manifests/{stamped.manifest_id.removeprefix('urn:c2pa:')}.c2pa"
    if damage == "gone":
        await house.store.delete(key)
    else:
        left = b"garbage" if damage == "garbage" else other.manifest
        await house.store.put(key, left, media_type="application/c2pa")
    assert (await house.verify_pixels(decoded(stamped.data))).state is State.UNKNOWN_ID


async def test_a_record_whose_manifest_ends_whoever_reads_it_proves_nothing(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def deadly(_: InspectorHere, store: bytes) -> None:
        raise BadPicture("the picture takes more memory or time than one picture may")

    stamped = await house.issue()
    monkeypatch.setattr(InspectorHere, "read", deadly)
    assert (await house.verify_pixels(decoded(stamped.data))).state is State.UNKNOWN_ID


@pytest.mark.slow
async def test_another_installations_marks_are_not_read(house: House, identity: SigningIdentity) -> None:
    other = House(identity, TssWatermarker.of(b"another secret, as long as needed"))
    stamped = await other.issue()
    assert (await house.verify_pixels(decoded(stamped.data))).state is State.NO_EVIDENCE


@pytest.mark.slow
@pytest.mark.parametrize("draw", [shapes, pytest.param(clouds, marks=pytest.mark.slow)])
async def test_a_picture_from_elsewhere_shows_no_evidence(house: House, draw: Any) -> None:
    verdict = await house.verify_pixels(draw(128, 128))
    assert verdict.state is State.NO_EVIDENCE
    assert verdict.means == ()
    assert verdict.model_dump(exclude={"state", "text", "means", "notes"}, exclude_none=True) == {}


def test_no_state_says_that_a_picture_is_not_an_ais() -> None:
    assert set(WORDS) == set(State)
    assert all("not made by" not in text and "authentic" not in text for text in WORDS.values())
