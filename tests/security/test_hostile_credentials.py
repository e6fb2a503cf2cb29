"""Credentials made to hurt: each gets a state or a problem, soon and in little memory, from a real child process."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from darkroom.provenance import Trust, Verifier
from darkroom.provenance.inspection.messages import Brief
from darkroom.provenance.inspection.process import InspectorApart
from darkroom.provenance.records import Records
from tests.fakes import WATERMARK_SECRET, _identity, fake_services
from tests.gateway import client_of
from tests.security.hostile import ROWS

pytestmark = pytest.mark.slow

MOST_BYTES = 200_000_000  # beyond what a new process has
CPU_SECONDS = 2.0  # of the inspecting process, which a crowded machine does not stretch
PIXEL = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
async def apart() -> AsyncIterator[InspectorApart]:
    inspector = InspectorApart(Brief.of(WATERMARK_SECRET, Trust.of(_identity().anchor_pem)))
    yield inspector
    await inspector.close()


@pytest.fixture
async def client(apart: InspectorApart) -> AsyncIterator[httpx.AsyncClient]:
    services = fake_services()
    trust = Trust.of(_identity().anchor_pem)
    verifier = Verifier(apart, trust, Records(services.store, WATERMARK_SECRET))
    async with client_of(replace(services, verifier=verifier)) as client:
        yield client


async def said_of(client: httpx.AsyncClient, data: bytes) -> str:
    """The state, or the code of the problem."""
    answer = await client.post("/api/v1/provenance/verify", content=data, headers={"Content-Type": "image/png"})
    assert answer.status_code in (200, 422), answer.text
    said: str = answer.json()["state" if answer.status_code == 200 else "code"]
    return said


def peak_bytes(pid: int) -> int:
    return int(Path(f"/proc/{pid}/status").read_text().split("VmHWM:")[1].split()[0]) * 1024


def cpu_seconds(pid: int) -> float:
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / 100


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
@pytest.mark.parametrize("name", ROWS)
async def test_a_hostile_credential_costs_little(client: httpx.AsyncClient, apart: InspectorApart, name: str) -> None:
    make, allowed = ROWS[name]
    data = make()
    assert await said_of(client, PIXEL) == "bad_picture"
    child = apart._child
    assert child is not None
    new, begun = peak_bytes(child.pid), cpu_seconds(child.pid)
    assert await said_of(client, data) in allowed
    if apart._child is child and child.returncode is None:  # else its limits ended it, as they should
        assert peak_bytes(child.pid) - new < MOST_BYTES
        assert cpu_seconds(child.pid) - begun < CPU_SECONDS
