"""What the doctor says of the machine: room on its disks, its GPU, and a gateway that runs here already."""

import asyncio
import email.utils
import importlib.metadata
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, Literal

import httpx

from darkroom.cli.tables import bytes_words
from darkroom.settings import Settings

Verdict = tuple[Literal["ok", "warn", "fail"], str]

LEAST_FREE: Final = 500_000_000  # bytes: below it the ledger's file or a picture may not fit
FEW_FREE: Final = 5_000_000_000
MAX_SKEW_SECONDS: Final = 60.0
NOTED_SKEW_SECONDS: Final = 3.0  # `Date` has whole seconds
ANSWER_SECONDS: Final = 2.0
ASKING_SECONDS: Final = 10.0
ENDING_SECONDS: Final = 1.0
ANYWHERE: Final = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104 - compared, not bound
QUERY: Final = ("--query-gpu=name,memory.total,driver_version", "--format=csv,noheader,nounits")


async def check_disks(settings: Settings) -> list[Verdict]:
    """Where ledger, spool, logs and, in a folder, pictures are kept; a disk that has several of them is one line."""
    folders = {"home": settings.home_folder, "spool": settings.spool_root}
    if settings.store == "folder":
        folders["store"] = settings.folder_root
    disks: dict[int, tuple[Path, list[str]]] = {}
    for name, folder in folders.items():
        there = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
        disks.setdefault(there.stat().st_dev, (there, []))[1].append(name)
    return [judge_disk(shutil.disk_usage(place).free, ", ".join(names)) for place, names in disks.values()]


def judge_disk(free: int, holds: str) -> Verdict:
    """`holds`: what is kept there."""
    words = f"{bytes_words(free)} free for {holds}"
    if free < LEAST_FREE:
        return "fail", f"{words}: make room, or let DARKROOM_HOME be on a larger disk"
    return ("warn", f"{words}: make room before it is full") if free < FEW_FREE else ("ok", words)


async def check_device(settings: Settings) -> list[Verdict]:
    """Asked of the driver: torch is the worker's alone, and takes seconds to load."""
    gpus = await _gpus()
    if gpus:
        return [*(("ok", each) for each in gpus), *_judge_torch()]
    if settings.models:
        return [("warn", "no GPU is seen: but for the embedded model, a picture takes minutes on a CPU")]
    return [("ok", "no GPU is seen, and the embedded model needs none")]


async def _gpus() -> list[str]:
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    asked = await asyncio.create_subprocess_exec(
        program, *QUERY, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        async with asyncio.timeout(ASKING_SECONDS):
            told, _ = await asked.communicate()
    except TimeoutError:  # a driver that hangs holds its callers too, some so that they cannot even be killed
        asked.kill()
        with suppress(TimeoutError):
            await asyncio.wait_for(asked.wait(), ENDING_SECONDS)
        return []
    return list(map(_gpu, told.decode(errors="replace").splitlines())) if asked.returncode == 0 else []


def _gpu(line: str) -> str:
    name, memory, driver = (f"{line}, , ").split(", ")[:3]
    return f"{name}, {bytes_words(int(memory) << 20) if memory.isdecimal() else memory}, driver {driver}"


def _judge_torch() -> Iterator[Verdict]:
    try:
        version = importlib.metadata.version("torch")
    except importlib.metadata.PackageNotFoundError:
        return  # which has a line of its own
    if version.endswith("+cpu"):
        yield "warn", f"torch {version} cannot use it: install torch for CUDA"


async def check_gateway(settings: Settings, transport: httpx.AsyncBaseTransport | None = None) -> list[Verdict]:
    """One that runs here already: is it ready, and is its clock ours? Credentials are dated by the worker's."""
    url = f"http://{ANYWHERE.get(settings.host, settings.host)}:{settings.port}"
    try:
        async with httpx.AsyncClient(timeout=ANSWER_SECONDS, trust_env=False, transport=transport) as client:
            answer = await client.get(f"{url}/readyz")
    except (httpx.TransportError, httpx.InvalidURL):
        return [("ok", f"none answers at {url}: `darkroom up` starts one")]
    return [_judge_readiness(answer, url), *judge_date(answer.headers.get("date", ""), time.time())]


def _judge_readiness(answer: httpx.Response, url: str) -> Verdict:
    if answer.status_code == httpx.codes.OK:
        return "ok", f"ready at {url}"
    if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE:
        return "fail", f"not ready at {url}: /readyz says why"
    return "warn", f"something else answers at {url}: stop it, or choose another DARKROOM_PORT"


def judge_date(date: str, now: float) -> Iterator[Verdict]:
    """`date` is the gateway's (RFC 9110), `now` Unix seconds here."""
    try:
        skew = abs(email.utils.parsedate_to_datetime(date).timestamp() - now)
    except ValueError:
        return
    if skew >= NOTED_SKEW_SECONDS:
        state: Literal["warn", "fail"] = "fail" if skew >= MAX_SKEW_SECONDS else "warn"
        yield state, f"its clock and ours are {skew:.0f} s apart: let NTP set both"
