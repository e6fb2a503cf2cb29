"""Inputs and their credentials, looked at in a real child: what hurts it costs a job nothing but the credential."""

import asyncio
import io
import os
import signal
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import IO

import pytest

from darkroom.contract.plan import Notice
from darkroom.inputs.normal import normalise
from darkroom.inputs.shelf import keep
from darkroom.provenance import Trust
from darkroom.provenance.carrying import DAMAGED, Taken
from darkroom.provenance.examiner import UNSEEN_CREDENTIAL, UNSEEN_MARK, Examiner
from darkroom.provenance.inspection.inspector import InspectorHere
from darkroom.provenance.inspection.messages import Brief
from darkroom.provenance.inspection.process import InspectorApart
from darkroom.provenance.tss.ring import KeyRing
from darkroom.services import WorkerServices
from tests.fakes import WATERMARK_SECRET, _identity, _watermarker, fake_worker_services
from tests.security.hostile import ROWS, signed
from tests.unit.provenance.making import MARK_ID, decoded, encoded, facts, shapes
from tests.unit.worker.test_lineage import claim_of
from tests.until import until
from worker.lineage import Ancestry, Lineage

pytestmark = pytest.mark.slow


@pytest.fixture
async def apart() -> AsyncIterator[InspectorApart]:
    inspector = InspectorApart(Brief.of(KeyRing.of(WATERMARK_SECRET), Trust.of(_identity().anchor_pem)))
    yield inspector
    await inspector.close()


@pytest.fixture
def services(apart: InspectorApart) -> WorkerServices:
    return replace(fake_worker_services(), examiner=Examiner(apart))


async def ancestry(services: WorkerServices, sent: bytes) -> Ancestry:
    ref = await keep(services.store, "ann", normalise(sent).packed())
    return await Lineage(services.store, services.examiner).of(claim_of(ref))


def child_of(inspector: InspectorApart) -> int:
    assert inspector._child is not None
    return inspector._child.pid


async def test_a_child_takes_what_we_would_take(apart: InspectorApart, services: WorkerServices) -> None:
    here = InspectorHere(_watermarker(), Trust.of(_identity().anchor_pem))
    ours = services.stamper.stamp(shapes(128, 128), facts(), MARK_ID).data
    broken = ROWS["two stores"][0]()
    for data in (ours, signed(), signed(ingredients=(ours,)), broken, encoded(shapes(32, 32))):
        assert await apart.take(io.BytesIO(data)) == await here.take(io.BytesIO(data))
    taken = [(await apart.take(io.BytesIO(data))).credential for data in (ours, signed())]
    credentials = [each for each in taken if each]
    assert await apart.fit(credentials) is await here.fit(credentials) is True
    assert (await apart.take(io.BytesIO(broken))).why_not == DAMAGED


async def test_a_child_that_is_killed_over_an_input_is_asked_once_more(
    apart: InspectorApart, services: WorkerServices
) -> None:
    """Whoever ran out of memory beside it: the credential is not lost for that."""
    made = services.stamper.stamp(shapes(128, 128), facts(), MARK_ID)
    await apart.inspect(io.BytesIO(encoded(shapes(32, 32))))
    os.kill(child_of(apart), signal.SIGSTOP)
    looking = asyncio.create_task(ancestry(services, made.data))
    await until(apart._turn.locked)
    os.kill(child_of(apart), signal.SIGKILL)
    found = await looking
    (parent,) = found.inputs
    assert parent.mark == ("org.darkroom.tss.1", MARK_ID)
    assert parent.credential is not None
    assert found.notices == ()


async def test_a_child_that_hangs_costs_the_credential_and_no_job(
    apart: InspectorApart, services: WorkerServices, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    hanging = tmp_path / "hanging"
    hanging.write_text("#!/bin/sh\nexec sleep 60\n")
    hanging.chmod(0o700)
    made = services.stamper.stamp(shapes(128, 128), facts(), MARK_ID)
    apart._seconds = 0.2
    monkeypatch.setattr("darkroom.provenance.inspection.process.sys.executable", str(hanging))
    found = await ancestry(services, made.data)
    (parent,) = found.inputs
    assert (parent.mark, parent.credential) == (None, None)
    assert found.notices == (
        Notice(field="image", reason=UNSEEN_MARK),
        Notice(field="image", reason=UNSEEN_CREDENTIAL),
    )


async def test_a_credential_that_ends_the_child_is_left_behind(
    apart: InspectorApart, services: WorkerServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed by a signal of its own making, as by a fault in native code."""
    data = signed()
    made = decoded(data)
    await apart.inspect(io.BytesIO(encoded(made)))
    take = apart.take

    async def deadly(picture: IO[bytes]) -> Taken:
        asking = asyncio.create_task(take(picture))
        await asyncio.sleep(0)
        os.kill(child_of(apart), signal.SIGSEGV)
        return await asking

    monkeypatch.setattr(apart, "take", deadly)
    found = await ancestry(services, data)
    assert [each.credential for each in found.inputs] == [None]
    assert found.notices == (Notice(field="image", reason=UNSEEN_CREDENTIAL),)
