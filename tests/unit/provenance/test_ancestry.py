"""What a credential says of the pictures that another was made from, task by task, and of credentials they bore."""

import io
from dataclasses import replace
from typing import Any

import c2pa
import pytest

from darkroom.contract.plan import TASKS, OutputFormat, Task
from darkroom.errors import UnsignedOutput
from darkroom.provenance import Facts, SigningIdentity, Stamped
from darkroom.provenance.ancestry import Input
from darkroom.provenance.carrying import DAMAGED
from darkroom.provenance.signing import native_signer
from tests.security.hostile import ACTIONS
from tests.unit.provenance.house import House
from tests.unit.provenance.making import MARK_ID, encoded, facts, facts_of, marked, shapes
from tests.unit.provenance.test_stamper import FORMATS, report

EDITED = [task for task in TASKS if task != "text_to_image"]
PARENT = "5c" * 32


def active(house: House, stamped: Stamped) -> dict[str, Any]:
    read = report(stamped.data, stamped.media_type, house.identity)
    assert read["validation_state"] == "Trusted"
    manifest: dict[str, Any] = read["manifests"][read["active_manifest"]]
    return manifest


def actions(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    (said,) = [each["data"] for each in manifest["assertions"] if each["label"] == "c2pa.actions.v2"]
    made: list[dict[str, Any]] = said["actions"]
    return made


def named(action: dict[str, Any]) -> list[str]:
    return [each["url"].rpartition("/")[2] for each in action.get("parameters", {}).get("ingredients", [])]


def stamp(house: House, about: Facts) -> Stamped:
    return house.stamper.stamp(shapes(128, 128), about, MARK_ID)


async def examined(house: House, data: bytes) -> tuple[Input, tuple[str, ...]]:
    return await house.examiner.examined(Input("parentOf", PARENT), encoded(shapes(64, 64)), data)


def test_a_picture_of_words_alone_is_created_from_nothing(house: House) -> None:
    said = active(house, stamp(house, facts_of("text_to_image")))
    assert "ingredients" not in said
    assert [each["action"] for each in actions(said)] == ["c2pa.created", "c2pa.watermarked"]


@pytest.mark.parametrize("task", EDITED)
def test_a_picture_made_from_another_opens_it_and_edits_it(house: House, task: Task) -> None:
    said = active(house, stamp(house, facts_of(task)))
    opened, edited, watermarked = actions(said)
    (parent,) = said["ingredients"]
    assert (opened["action"], edited["action"]) == ("c2pa.opened", "c2pa.edited")
    assert watermarked["action"] == "c2pa.watermarked"
    assert edited["digitalSourceType"].endswith("/compositeWithTrainedAlgorithmicMedia")
    assert parent["relationship"] == "parentOf"
    assert parent["instance_id"] == f"urn:sha256:{PARENT}"
    assert (named(opened), named(edited)) == ([parent["label"]], [])
    assert "thumbnail" not in parent


@pytest.mark.slow
@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("output_format", FORMATS)
async def test_every_task_is_intact_in_every_format(house: House, task: Task, output_format: OutputFormat) -> None:
    about = facts_of(task, output_format=output_format)
    stamped = await house.stamper.issue(shapes(128, 128), about, house.store, "images/01JOB/0")
    assert (await house.verify(stamped.data)).state == "intact"


@pytest.mark.parametrize("task", ["text_to_image", "outpaint"])
def test_what_steered_the_composition_is_an_input_of_the_making(house: House, task: Task) -> None:
    parents = () if task == "text_to_image" else (Input("parentOf", PARENT),)
    said = active(house, stamp(house, facts_of(task, *parents, Input("inputTo", "c0" * 32))))
    (hint,) = [each for each in said["ingredients"] if each["relationship"] == "inputTo"]
    making = actions(said)[len(parents)]
    assert making["action"] == ("c2pa.edited" if parents else "c2pa.created")
    assert named(making) == [hint["label"]]


async def test_the_mark_of_an_input_is_named_by_the_credential_and_the_record(house: House) -> None:
    bare = Input("parentOf", PARENT)
    given, missing = await house.examiner.examined(bare, encoded(marked("shapes", 128, 128)), None)
    assert (given.mark, missing) == (("org.darkroom.tss.1", MARK_ID), ())
    stamped = stamp(house, facts_of("image_to_image", given))
    (parent,) = active(house, stamped)["ingredients"]
    assert parent["metadata"]["org.darkroom.watermark"] == {"alg": "org.darkroom.tss.1", "value": "ASNFZ4mr"}
    assert stamped.record.parents == ("0123456789ab",)


async def test_the_credential_of_an_input_is_carried_on_with_what_was_found_of_it(house: House) -> None:
    first = await house.issue()
    given, missing = await examined(house, first.data)
    second = stamp(house, facts_of("image_to_image", given))
    (parent,) = active(house, second)["ingredients"]
    assert missing == ()
    assert parent["active_manifest"] == first.manifest_id
    assert (
        "failure" not in parent["validation_results"]["activeManifest"]
        or not (parent["validation_results"]["activeManifest"]["failure"])
    )
    assert first.manifest_id in report(second.data, second.media_type, house.identity)["manifests"]


@pytest.mark.slow
async def test_what_is_wrong_with_a_carried_credential_is_said_and_spoils_nothing(house: House) -> None:
    first = await house.issue(output_format="jpeg")
    changed = first.data[:-40] + bytes(38) + first.data[-2:]
    given, missing = await examined(house, changed)
    (parent,) = active(house, stamp(house, facts_of("inpaint", given)))["ingredients"]
    failures = [each["code"] for each in parent["validation_results"]["activeManifest"]["failure"]]
    assert (missing, failures, parent["format"]) == ((), ["assertion.dataHash.mismatch"], "image/jpeg")


@pytest.mark.slow
@pytest.mark.parametrize(
    "where", [b"c2pa.claim", *(pytest.param(each, marks=pytest.mark.slow) for each in (b"jumb", b"c2pa.signature"))]
)
async def test_a_credential_that_cannot_be_read_is_left_behind(house: House, where: bytes) -> None:
    first = await house.issue(output_format="jpeg")
    at = first.data.find(where) + len(where)
    broken = first.data[:at] + b"\xff" * 200 + first.data[at + 200 :]
    given, missing = await examined(house, broken)
    (parent,) = active(house, stamp(house, facts_of("image_to_image", given)))["ingredients"]
    assert "active_manifest" not in parent
    assert parent["instance_id"] == f"urn:sha256:{PARENT}"
    assert (given.credential, missing) == (None, (DAMAGED,))


@pytest.mark.slow
async def test_a_credential_too_large_to_carry_is_left_behind(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("darkroom.provenance.carrying.MOST_CARRIED", 4000)
    given, missing = await examined(house, (await house.issue()).data)
    assert given.credential is None
    assert missing == ("its content credential has more than 4000 bytes",)


@pytest.mark.slow
async def test_of_two_credentials_that_contradict_each_other_the_first_is_carried_on(house: House) -> None:
    """They call different manifests by one label, as nobody but a forger does: signed together, both would fail."""
    first = (await house.issue(output_format="jpeg")).data
    forged = first.replace(b"trainedAlgorithmicMedia", b"trainedAlgorithmicMedio")
    parent, _ = await examined(house, first)
    other, _ = await examined(house, forged)
    hint = replace(other, relationship="inputTo", sha256="c0" * 32)
    with pytest.raises(UnsignedOutput):
        stamp(house, facts_of("image_to_image", parent, hint))
    inputs, lost = await house.examiner.fitting((parent, hint, parent))
    assert (inputs, lost) == ((parent, replace(hint, credential=None), parent), (1,))
    carried = active(house, stamp(house, facts_of("image_to_image", *inputs[:2])))["ingredients"]
    assert ["active_manifest" in each for each in carried] == [False, True]


@pytest.mark.slow
async def test_the_thumbnail_of_a_carried_credential_stays_in_its_own_manifest(house: House) -> None:
    given, missing = await examined(house, with_thumbnail(house.identity))
    stamped = stamp(house, facts_of("image_to_image", given))
    (parent,) = active(house, stamped)["ingredients"]
    assert missing == ()
    assert parent["thumbnail"]["identifier"].startswith(f"self#jumbf=/c2pa/{parent['active_manifest']}/")


def with_thumbnail(signer: SigningIdentity) -> bytes:
    """As cameras and editors write it."""
    settings = {"builder": {"thumbnail": {"enabled": True}}, "trust": {"user_anchors": signer.anchor_pem}}
    signed = io.BytesIO()
    with c2pa.Builder({"assertions": [ACTIONS]}, context=c2pa.Context.from_dict({"version": 1, **settings})) as builder:
        builder.sign(native_signer(signer), "image/png", io.BytesIO(encoded(shapes(256, 256))), signed)
    return signed.getvalue()


async def test_only_the_owner_is_told_of_the_pictures_it_was_made_from(house: House) -> None:
    told = facts_of("image_to_image", Input("parentOf", PARENT, mark=("org.darkroom.tss.1", 0x0123456789AB)))
    made = await house.stamper.issue(shapes(128, 128), told, house.store, "images/made/0")
    own = await house.verifier.verify(made.data, told.tenant)
    assert own.owner is not None
    assert own.owner.parents == ("0123456789ab",)
    assert (await house.verifier.verify(made.data, "another")).owner is None


def test_a_record_of_before_there_were_parents_is_still_read(house: House) -> None:
    record = stamp(house, facts()).record
    old = record.model_dump(exclude={"parents"})
    assert type(record).model_validate(old) == record
