"""What a request takes of a gateway: seconds of its processor, by the kernel."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from pydantic import SecretStr

from benchmarks.ledger.line import PROMPT
from benchmarks.ledger.processes import READY, cpu_seconds
from darkroom.cli.config import as_environment
from darkroom.ledger.server import free_port
from darkroom.lifeline import before_exec
from darkroom.settings import Settings

AT_ONCE = 16
HERE = "/api/v1/generations"


@contextmanager
def gateway(url: str, home: Path) -> Iterator[tuple[str, int]]:
    """Its URL and its process."""
    home.mkdir(parents=True, exist_ok=True)
    limits = {"max_queued": 1_000_000, "max_queued_per_tenant": 1_000_000, "max_queued_seconds": 1e9}
    settings = Settings(home=home, redis_url=SecretStr(url), port=free_port(), allow_anonymous=True, **limits)
    with (home / "gateway.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "darkroom", "api"],
            env={**os.environ, **as_environment(settings)},
            stdout=log,
            stderr=log,
            preexec_fn=before_exec(os.getpid()),
        )
    try:
        here = f"http://127.0.0.1:{settings.port}"
        _wait_until_it_answers(here)
        yield here, process.pid
    finally:
        process.terminate()
        process.wait()


def _wait_until_it_answers(here: str) -> None:
    until = time.monotonic() + READY
    while True:
        try:
            httpx.get(f"{here}/livez", trust_env=False).raise_for_status()
            return
        except httpx.TransportError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)


async def request_ms(url: str, home: Path, requests: int) -> dict[str, float]:
    """Milliseconds of one gateway's processor: of a generation asked for, and of one looked at, in small answers."""
    with gateway(url, home) as (here, pid):
        async with httpx.AsyncClient(base_url=here, trust_env=False, timeout=60) as client:
            first = await _asked(client, AT_ONCE)  # of which some are the first of their kind
            cpu = cpu_seconds(pid)
            await _asked(client, requests)
            asked = cpu_seconds(pid)
            for _ in range(requests // AT_ONCE):
                await asyncio.gather(*(client.get(f"{HERE}/{job_id}") for job_id in first))
            looked = cpu_seconds(pid)
    return {
        "asked": round(1000 * (asked - cpu) / requests, 2),
        "looked_at": round(1000 * (looked - asked) / requests, 2),
    }


async def _asked(client: httpx.AsyncClient, requests: int) -> list[str]:
    """The ids of so many jobs."""
    made: list[str] = []
    for _ in range(requests // AT_ONCE):
        answers = await asyncio.gather(*(client.post(HERE, json={"prompt": PROMPT}) for _ in range(AT_ONCE)))
        made += [answer.raise_for_status().json()["id"] for answer in answers]
    return made
