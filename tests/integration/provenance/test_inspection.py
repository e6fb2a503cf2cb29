"""Looking at files in a process of its own: real children, and pictures that cost them their lives."""

import asyncio
import io
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from darkroom.errors import BadPicture, CapacityError
from darkroom.provenance import State, Trust, Verifier
from darkroom.provenance.credential import Standing
from darkroom.provenance.inspection import limits, process
from darkroom.provenance.inspection.inspector import InspectorHere
from darkroom.provenance.inspection.messages import Brief
from darkroom.provenance.inspection.process import InspectorApart
from darkroom.provenance.manifest import GENERATION
from darkroom.provenance.tss.ring import KeyRing
from tests.fakes import _identity
from tests.security.hostile import signed
from tests.unit.provenance.house import House
from tests.unit.provenance.making import SECRET, watermarker
from tests.until import until

pytestmark = pytest.mark.slow


def trust() -> Trust:
    return Trust.of(_identity().anchor_pem)


@pytest.fixture
async def apart() -> AsyncIterator[InspectorApart]:
    inspector = InspectorApart(Brief.of(KeyRing.of(SECRET), trust()))
    yield inspector
    await inspector.close()


def noise(side: int = 96) -> io.BytesIO:
    buffer = io.BytesIO()
    pixels = np.random.default_rng(1).integers(0, 256, (side, side, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer


def child_of(inspector: InspectorApart) -> int:
    assert inspector._child is not None
    return inspector._child.pid


async def stamped() -> bytes:
    return (await House(_identity()).issue()).data


async def test_a_child_sees_what_we_would_see(apart: InspectorApart) -> None:
    here = InspectorHere(watermarker(), trust())
    data = await stamped()
    stripped = io.BytesIO()
    Image.open(io.BytesIO(data)).save(stripped, "PNG")
    for file in (io.BytesIO(data), stripped, noise()):
        evidence = await apart.inspect(file)
        file.seek(0)
        assert evidence == await here.inspect(file)
    with pytest.raises(BadPicture, match="not a PNG"):
        await apart.inspect(io.BytesIO(b"hello"))
    assert apart._child is not None


async def test_where_nothing_is_marked_the_child_finds_no_mark() -> None:
    apart = InspectorApart(Brief.of(None, trust()))
    evidence = await apart.inspect(io.BytesIO(await stamped()))
    assert (evidence.alg, evidence.mark) == ("none", None)
    assert evidence.credential is not None
    await apart.close()


async def test_one_child_looks_at_one_picture_after_another(apart: InspectorApart) -> None:
    await asyncio.gather(*(apart.inspect(noise()) for _ in range(3)))
    first = child_of(apart)
    await apart.inspect(noise())
    assert child_of(apart) == first


async def test_a_child_that_died_meanwhile_is_replaced_unnoticed(apart: InspectorApart) -> None:
    await apart.inspect(noise())
    child = apart._child
    assert child is not None
    os.kill(child.pid, signal.SIGKILL)
    await until(lambda: child.returncode is not None)
    assert (await apart.inspect(noise())).mark is None


async def test_a_picture_that_takes_too_much_memory_costs_no_more_than_its_child(apart: InspectorApart) -> None:
    huge = io.BytesIO(b"\x89PNG" + bytes(2 * limits.MEMORY_BYTES))
    with pytest.raises(BadPicture, match="more memory or time"):
        await apart.inspect(huge)
    assert (await apart.inspect(noise())).mark is None


async def test_a_picture_that_says_too_much_of_itself_is_refused(
    apart: InspectorApart, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "LONGEST_ANSWER", 20_000)
    talk = signed({"label": GENERATION, "data": {"model": "x" * 100_000}})
    with pytest.raises(BadPicture, match="too long"):
        await apart.inspect(io.BytesIO(talk))
    assert (await apart.inspect(noise())).mark is None


async def test_a_picture_that_takes_too_long_is_given_up(apart: InspectorApart) -> None:
    await apart.inspect(noise())
    os.kill(child_of(apart), signal.SIGSTOP)
    apart._seconds = 0.2
    with pytest.raises(CapacityError, match="too long"):
        await apart.inspect(noise())
    assert apart._child is None


async def test_processor_time_is_granted_anew_for_each_picture(apart: InspectorApart) -> None:
    await apart.inspect(noise())
    said = Path(f"/proc/{child_of(apart)}/limits").read_text()
    assert limits.CPU_SECONDS <= int(said.split("Max cpu time")[1].split()[0]) <= limits.CPU_SECONDS + 10


async def test_whoever_stops_a_child_is_not_the_picture(apart: InspectorApart) -> None:
    await apart.inspect(noise())
    os.kill(child_of(apart), signal.SIGSTOP)
    waiting = asyncio.create_task(apart.inspect(noise()))
    await until(apart._turn.locked)
    os.kill(child_of(apart), signal.SIGKILL)
    with pytest.raises(CapacityError, match="interrupted"):
        await waiting


async def test_a_caller_that_leaves_in_the_middle_leaves_no_half_question(apart: InspectorApart) -> None:
    await apart.inspect(noise())
    os.kill(child_of(apart), signal.SIGSTOP)
    waiting = asyncio.create_task(apart.inspect(noise()))
    await until(apart._turn.locked)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert (await apart.inspect(noise())).mark is None


async def test_an_idle_child_goes(apart: InspectorApart, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "IDLE_SECONDS", 0.05)
    await apart.inspect(noise())
    child = child_of(apart)
    await until(lambda: apart._child is None and not Path(f"/proc/{child}").exists())


async def test_a_child_that_kept_much_memory_goes(apart: InspectorApart, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "MOST_GROWN", -1)
    await apart.inspect(noise())
    assert apart._child is None


async def test_a_child_holds_no_setting_of_ours(apart: InspectorApart, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DARKROOM_S3_SECRET_KEY", "canary")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "canary")
    await apart.inspect(noise())
    for said in ("environ", "cmdline"):
        shown = Path(f"/proc/{child_of(apart)}/{said}").read_bytes()
        assert b"canary" not in shown
        assert SECRET not in shown


async def test_whoever_verifies_parses_no_credential_itself(
    apart: InspectorApart, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even one of our own records, in which those of strangers may be carried on."""
    house = House(_identity())
    stamped = await house.issue()
    stripped = io.BytesIO()
    Image.open(io.BytesIO(stamped.data)).save(stripped, "PNG")
    monkeypatch.setattr("c2pa.Reader", None)
    verifier = Verifier(apart, house.records)
    assert (await verifier.verify(stamped.data)).state is State.INTACT
    verdict = await verifier.verify(stripped.getvalue())
    assert (verdict.state, verdict.manifest_id) == (State.RECOVERED, stamped.manifest_id)


async def test_what_is_no_manifest_store_is_unreadable(apart: InspectorApart) -> None:
    for store in (b"", b"garbage", b"\0\0\0\x20jumb\0\0"):
        assert (await apart.read(store)).standing is Standing.UNREADABLE
