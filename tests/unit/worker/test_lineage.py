"""What a job's inputs are found to be: their marks, and the credentials that came with them."""

import asyncio
from typing import Any

import pytest

from darkroom.contract.plan import Notice
from darkroom.contract.start import FromImage, PictureRef
from darkroom.inputs.normal import normalise
from darkroom.inputs.shelf import keep
from darkroom.ledger.protocol import Claim
from darkroom.provenance import Stamped
from darkroom.provenance.ancestry import Input
from darkroom.services import WorkerServices
from tests.fakes import fake_worker_services
from tests.integration.ledger.making import plan
from tests.unit.provenance.making import MARK_ID, encoded, facts, shapes
from tests.unit.worker.shop import PICTURE, FlakyStore, PlainStamper
from tests.until import until
from worker.finish import MAX_PENDING_PICTURES, Finisher
from worker.lineage import Ancestry, Lineage


@pytest.fixture(scope="module")
def services() -> WorkerServices:
    return fake_worker_services()


@pytest.fixture(scope="module")
def first(services: WorkerServices) -> Stamped:
    """A picture that we made ourselves."""
    return services.stamper.stamp(shapes(128, 128), facts(), MARK_ID)


def claim_of(ref: PictureRef, **changed: Any) -> Claim:
    start = FromImage(image=ref, strength=0.5, steps=10)
    settled = plan(task="image_to_image", start=start, **changed)
    return Claim(job_id="second", tenant="ann", attempt=1, plan=settled, lease_until=0.0, waited=0.0)


async def ancestry(services: WorkerServices, sent: bytes) -> Ancestry:
    ref = await keep(services.store, "ann", normalise(sent).packed())
    return await Lineage(services.store, services.examiner).of(claim_of(ref))


async def test_a_picture_that_was_sent_keeps_its_mark_and_its_credential(
    services: WorkerServices, first: Stamped
) -> None:
    found = await ancestry(services, first.data)
    (parent,) = found.inputs
    assert parent.mark == ("org.darkroom.tss.1", MARK_ID)
    assert parent.credential is not None
    assert parent.credential.found["active_manifest"] == first.manifest_id
    assert (parent.credential.store, parent.credential.media_type) == (first.manifest, "image/png")
    assert found.notices == ()


async def test_the_credential_stays_when_the_same_pixels_come_again_without_it(
    services: WorkerServices, first: Stamped
) -> None:
    await ancestry(services, first.data)
    bare = normalise(first.data).png
    (parent,) = (await ancestry(services, bare)).inputs
    assert parent.credential is not None


async def test_a_damaged_credential_is_a_notice_and_no_failure(services: WorkerServices) -> None:
    made = services.stamper.stamp(shapes(128, 128, seed=3), facts(output_format="jpeg"), MARK_ID)
    at = made.data.find(b"c2pa.claim") + 10
    found = await ancestry(services, made.data[:at] + b"\xff" * 200 + made.data[at + 200 :])
    (parent,) = found.inputs
    assert (parent.credential, parent.mark) == (None, ("org.darkroom.tss.1", MARK_ID))
    assert found.notices == (Notice(field="image", reason="its content credential is damaged and is not carried on"),)


async def test_an_input_that_is_gone_is_named_by_its_hash(services: WorkerServices) -> None:
    ref = PictureRef(sha256="ab" * 32, width=128, height=128)
    found = await Lineage(services.store, services.examiner).of(claim_of(ref))
    assert found == Ancestry((Input("parentOf", "ab" * 32),))


def test_a_plain_picture_has_no_original() -> None:
    assert normalise(encoded(shapes(64, 64))).original == b""


async def test_the_record_of_a_picture_names_the_mark_of_the_one_before(
    services: WorkerServices, first: Stamped
) -> None:
    ref = await keep(services.store, "ann", normalise(first.data).packed())
    lineage = Lineage(services.store, services.examiner)
    finisher = Finisher(services.stamper, services.store, "cpu", {}, lineage=lineage)
    about = claim_of(ref)
    artifact = await finisher.picture(about, 0, shapes(128, 128, seed=1), ancestry=finisher.ancestry(about))
    record = await services.records.find(int(artifact.watermark_id, 16))
    assert record is not None
    assert record.parents == (f"{MARK_ID:012x}",)


async def test_a_picture_waits_in_sight_of_the_worker_until_the_store_has_its_inputs_again(
    services: WorkerServices, first: Stamped
) -> None:
    store = FlakyStore()
    ref = await keep(store, "ann", normalise(first.data).packed())
    finisher = Finisher(PlainStamper(), store, "cpu", {}, 0.0, lineage=Lineage(store, services.examiner))
    claim, store.away = claim_of(ref), True
    ancestry = asyncio.create_task(finisher.ancestry(claim))
    pictures = [
        asyncio.create_task(finisher.picture(claim, 0, PICTURE, ancestry=ancestry)) for _ in range(MAX_PENDING_PICTURES)
    ]
    await until(lambda: finisher.crowded)
    assert not any(picture.done() for picture in pictures), "no patience ends this: the device has done its part"
    store.away = False
    await asyncio.gather(*pictures)
    assert not finisher.crowded
