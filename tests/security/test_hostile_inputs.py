"""Pictures with credentials made to hurt, as what generations begin with: from the shelf of inputs to a signed file."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from time import process_time

import pytest

from darkroom.inputs.normal import normalise
from darkroom.inputs.shelf import keep
from darkroom.provenance import Trust
from darkroom.provenance.examiner import Examiner
from darkroom.provenance.inspection import process
from darkroom.provenance.inspection.messages import Brief
from darkroom.provenance.inspection.process import InspectorApart
from darkroom.provenance.tss.ring import KeyRing
from darkroom.services import WorkerServices
from tests.fakes import WATERMARK_SECRET, _identity, fake_verifier, fake_worker_services
from tests.security.hostile import ROWS, signed
from tests.security.test_hostile_credentials import cpu_seconds, forget_the_peak, peak_bytes
from tests.unit.provenance.making import shapes
from tests.unit.worker.test_lineage import claim_of
from worker.finish import Finisher
from worker.lineage import Ancestry, Lineage

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="memory is read from Linux' /proc"),
]

MOST_BYTES = 200_000_000
CPU_SECONDS = 2.0  # which a crowded machine does not stretch
CARRIED, LEFT_BEHIND, NONE = (True, False), (False, True), (False, False)  # carried on; with a notice
OUTCOMES = {
    "eight megabytes of words": LEFT_BEHIND,
    "two stores": LEFT_BEHIND,
    "ten thousand boxes in each other": LEFT_BEHIND,
    "a box longer than the file": LEFT_BEHIND,
    "a box of no length": LEFT_BEHIND,
    "thirty megabytes of nothing": LEFT_BEHIND,
    "a store that lies elsewhere": NONE,
    "an archive behind the picture": NONE,
}


@pytest.fixture
async def apart(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[InspectorApart]:
    """One that keeps its child however fat it has become, for it is measured."""
    monkeypatch.setattr(process, "MOST_GROWN", 2 * MOST_BYTES)
    inspector = InspectorApart(Brief.of(KeyRing.of(WATERMARK_SECRET), Trust.of(_identity().anchor_pem)))
    yield inspector
    await inspector.close()


async def made_from(services: WorkerServices, data: bytes) -> tuple[str, Ancestry]:
    """The state of what a worker makes of a job that begins with this file, which the gateway has kept as it came."""
    claim = claim_of(await keep(services.store, "ann", replace(normalise(data).packed(), original=data)))
    finisher = Finisher(services.stamper, services.store, "cpu", {}, lineage=Lineage(services.store, services.examiner))
    known = asyncio.ensure_future(finisher.ancestry(claim))
    artifact = await finisher.picture(claim, 0, shapes(128, 128, seed=1), ancestry=known)
    made = await services.store.get(artifact.key)
    return (await fake_verifier(services.store).verify(made)).state, await known


async def test_hostile_inputs_cost_little_and_their_jobs_succeed(apart: InspectorApart) -> None:
    """All of them in one worker, as they come to it. What its child and itself use is counted together."""
    await made_from(worker_with(apart), signed())  # what is built on first use belongs to no row
    child = apart._child
    assert child is not None
    for name, (make, _) in ROWS.items():
        data, pids = make(), ("self", child.pid)
        for pid in pids:
            forget_the_peak(pid)
        new, begun = [peak_bytes(pid) for pid in pids], cpu_seconds(child.pid) + process_time()
        state, found = await made_from(worker_with(apart), data)
        seconds = cpu_seconds(child.pid) + process_time() - begun
        grown = sum(peak_bytes(pid) - was for pid, was in zip(pids, new, strict=True))
        assert (apart._child, state) == (child, "intact"), name
        assert (grown < MOST_BYTES, seconds < CPU_SECONDS) == (True, True), (name, grown, seconds)
        (given,) = found.inputs
        assert (given.credential is not None, bool(found.notices)) == OUTCOMES.get(name, CARRIED), name


def worker_with(apart: InspectorApart) -> WorkerServices:
    return replace(fake_worker_services(), examiner=Examiner(apart))
