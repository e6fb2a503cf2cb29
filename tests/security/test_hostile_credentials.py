"""Credentials made to hurt: each gets a state or a problem, soon and in little memory, from a real child process."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from PIL import Image

from darkroom.provenance import Trust, Verifier
from darkroom.provenance.inspection import process
from darkroom.provenance.inspection.messages import Brief
from darkroom.provenance.inspection.process import InspectorApart
from darkroom.provenance.records import Records
from darkroom.provenance.tss.ring import KeyRing
from tests.fakes import WATERMARK_SECRET, _identity, fake_services
from tests.gateway import client_of
from tests.security.hostile import ROWS
from tests.security.test_verify_pictures import REFUSED, SEEN, saved

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="memory is read from Linux' /proc"),
]

MOST_BYTES = 200_000_000  # beyond what a new process has
CPU_SECONDS = 2.0  # of the inspecting process, which a crowded machine does not stretch
PIXEL = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
async def apart(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[InspectorApart]:
    """One that keeps its child however fat it has become, for it is measured."""
    monkeypatch.setattr(process, "MOST_GROWN", 2 * MOST_BYTES)
    inspector = InspectorApart(Brief.of(KeyRing.of(WATERMARK_SECRET), Trust.of(_identity().anchor_pem)))
    yield inspector
    await inspector.close()


@pytest.fixture
async def client(apart: InspectorApart) -> AsyncIterator[httpx.AsyncClient]:
    services = fake_services()
    verifier = Verifier(apart, Records(services.store, WATERMARK_SECRET))
    async with client_of(replace(services, verifier=verifier)) as client:
        yield client


async def said_of(client: httpx.AsyncClient, data: bytes) -> str:
    """The state, or the code of the problem."""
    answer = await client.post("/api/v1/provenance/verify", content=data, headers={"Content-Type": "image/png"})
    assert answer.status_code in (200, 422), answer.text
    said: str = answer.json()["state" if answer.status_code == 200 else "code"]
    return said


def peak_bytes(pid: int | str) -> int:
    return int(Path(f"/proc/{pid}/status").read_text().split("VmHWM:")[1].split()[0]) * 1024


def cpu_seconds(pid: int) -> float:
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / 100


def forget_the_peak(pid: int | str) -> None:
    """Linux: the peak is then what is held now (proc(5), clear_refs)."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


async def costs(client: httpx.AsyncClient, apart: InspectorApart, data: bytes) -> tuple[str, int, float]:
    """What is said of the picture, and by how many bytes and seconds the process that looked at it grew.

    The process is there before, with memory of its own. One that its limits ended says `bad_picture`, and cost no more.
    """
    assert await said_of(client, PIXEL) == "bad_picture"
    child = apart._child
    assert child is not None
    forget_the_peak(child.pid)
    new, begun = peak_bytes(child.pid), cpu_seconds(child.pid)
    said = await said_of(client, data)
    if apart._child is not child or child.returncode is not None:
        assert said == "bad_picture"
        return said, 0, 0.0
    return said, peak_bytes(child.pid) - new, cpu_seconds(child.pid) - begun


@pytest.mark.parametrize("name", ROWS)
async def test_a_hostile_credential_costs_little(client: httpx.AsyncClient, apart: InspectorApart, name: str) -> None:
    make, allowed = ROWS[name]
    said, grown, seconds = await costs(client, apart, make())
    assert said in allowed
    assert grown < MOST_BYTES
    assert seconds < CPU_SECONDS


async def test_an_odd_picture_costs_little(client: httpx.AsyncClient, apart: InspectorApart) -> None:
    """All of them in one process, as they come to a gateway."""
    for name, make in (SEEN | REFUSED).items():
        said, grown, seconds = await costs(client, apart, make())
        assert said == ("no_evidence" if name in SEEN else "bad_picture"), name
        assert (grown < MOST_BYTES, seconds < CPU_SECONDS) == (True, True), (name, grown, seconds)


@pytest.mark.parametrize("kind", ["RGBA", "RGB"])
async def test_the_largest_picture_that_is_let_in_costs_no_more_than_one_may(
    client: httpx.AsyncClient, apart: InspectorApart, kind: str
) -> None:
    side = 4_800  # 23 megapixels
    said, grown, _ = await costs(client, apart, saved(Image.new(kind, (side, side), "grey"), "PNG", compress_level=1))
    assert said == "no_evidence"
    assert grown < MOST_BYTES
