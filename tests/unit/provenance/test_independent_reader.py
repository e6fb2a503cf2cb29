"""What we sign, read by an implementation of C2PA that shares no code with the one that signs."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import encypher_c2pa
import pytest
from PIL import Image

from darkroom.contract.plan import MEDIA_TYPES, OutputFormat
from darkroom.provenance import SigningIdentity, Trust
from darkroom.provenance.ancestry import Input
from darkroom.provenance.credential import CredentialReader
from tests.unit.provenance.house import House
from tests.unit.provenance.making import STARTS, facts_of, shapes
from tests.unit.provenance.splicing import spliced

pytestmark = pytest.mark.slow

ROOT_HASH = "5c" * 32
TRUSTED = "valid_for_supplied_material"  # its word where only roots that it was given are asked


@pytest.fixture(autouse=True)
def homeless(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The reader keeps its telemetry's switch in the home; it is given one that is thrown away."""
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path))


def report(data: bytes, media_type: str, identity: SigningIdentity | None) -> Any:
    """What it says when it trusts our root alone, or nobody."""
    return encypher_c2pa.verify(
        data,
        media_type,
        trust_pem=identity.anchor_pem if identity else None,
        no_default_trust=True,
        telemetry=False,
        online=False,
    )


def standing(data: bytes, media_type: str, identity: SigningIdentity) -> str:
    """What the library that signs says of the same bytes."""
    read = CredentialReader(Trust.of(identity.anchor_pem)).read(data, media_type)
    return str(read.standing) if read else "none"


async def stamped(house: House, task: Any, output_format: OutputFormat) -> bytes:
    """A picture of this task; where it begins with one, with one of ours."""
    told = facts_of(task, output_format=output_format)
    if task != "text_to_image":
        parent = await house.issue(job_id="01PARENT")
        given, missing = await house.examiner.examined(Input("parentOf", ROOT_HASH), parent.data, parent.data)
        assert missing == ()
        told = facts_of(task, given, output_format=output_format)
    made = await house.stamper.issue(shapes(128, 128, 3), told, house.store, f"images/{task}/0")
    return made.data


@pytest.mark.parametrize("output_format", MEDIA_TYPES)
@pytest.mark.parametrize("task", STARTS)
async def test_every_task_in_every_format_is_accepted(
    house: House, identity: SigningIdentity, task: Any, output_format: OutputFormat
) -> None:
    data, media_type = await stamped(house, task, output_format), MEDIA_TYPES[output_format]
    said = report(data, media_type, identity)
    assert (said["integrity"], said["signature"], said["hard_binding"]) == ("valid", "valid", "match"), said
    assert said["trust"]["status"] == TRUSTED
    assert standing(data, media_type, identity) == "Trusted"


async def test_a_labelled_picture_is_accepted(house: House, identity: SigningIdentity) -> None:
    data = (await house.issue(visible_label="AI-generated")).data
    said = report(data, "image/png", identity)
    assert (said["integrity"], said["signature"], said["hard_binding"]) == ("valid", "valid", "match"), said
    assert said["trust"]["status"] == TRUSTED


async def test_without_our_root_it_is_sound_and_not_trusted(house: House) -> None:
    data = await stamped(house, "text_to_image", "png")
    said = report(data, "image/png", None)
    assert said["integrity"] == "valid"
    assert said["trust"]["status"] != TRUSTED


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def in_assertion(data: bytes) -> bytes:
    return flipped(data, data.index(b"org.darkroom.generation", data.index(b"c2as")) + 120)


def in_certificate(data: bytes) -> bytes:
    return flipped(data, data.index(b"DEVELOPMENT ONLY") + 40)


def saved_again(data: bytes) -> bytes:
    picture = Image.open(io.BytesIO(data))
    buffer = io.BytesIO()
    picture.save(buffer, picture.format)
    return buffer.getvalue()


TAMPERED: dict[str, Callable[[bytes], bytes]] = {
    "a byte of the pixels": lambda data: flipped(data, len(data) - 40),
    "bytes behind the end": lambda data: data + b"more",
    "a byte of an assertion": in_assertion,
    "a byte of a certificate": in_certificate,
    "saved by another program": saved_again,
}


@pytest.mark.parametrize("output_format", MEDIA_TYPES)
@pytest.mark.parametrize("tampering", TAMPERED)
async def test_what_was_tampered_with_is_rejected_by_both(
    house: House, identity: SigningIdentity, tampering: str, output_format: OutputFormat
) -> None:
    data, media_type = await stamped(house, "text_to_image", output_format), MEDIA_TYPES[output_format]
    changed = TAMPERED[tampering](data)
    assert accepted(data, media_type, identity) == (True, True)
    assert changed != data
    assert accepted(changed, media_type, identity) == (False, False)


@pytest.mark.parametrize("output_format", MEDIA_TYPES)
async def test_a_credential_spliced_from_another_picture_is_rejected_by_both(
    house: House, identity: SigningIdentity, output_format: OutputFormat
) -> None:
    one = (await house.issue(job_id="01ONE", output_format=output_format)).data
    other = (await house.issue(shapes(128, 128, 9), job_id="01OTHER", output_format=output_format)).data
    media_type = MEDIA_TYPES[output_format]
    assert accepted(spliced(one, one, output_format), media_type, identity) == (True, True)
    assert accepted(spliced(one, other, output_format), media_type, identity) == (False, False)


@pytest.mark.parametrize("output_format", MEDIA_TYPES)
async def test_a_file_that_breaks_off_is_rejected_by_both(
    house: House, identity: SigningIdentity, output_format: OutputFormat
) -> None:
    data = await stamped(house, "text_to_image", output_format)
    assert accepted(data[: len(data) * 9 // 10], MEDIA_TYPES[output_format], identity) == (False, False)


def accepted(data: bytes, media_type: str, identity: SigningIdentity) -> tuple[bool, bool]:
    """Whether either reader takes it for a whole picture of a trusted signer."""
    try:
        said = report(data, media_type, identity)
        theirs = said["integrity"] == "valid" and said["trust"]["status"] == TRUSTED
    except ValueError:
        theirs = False
    return theirs, standing(data, media_type, identity) in ("Trusted", "Valid")
