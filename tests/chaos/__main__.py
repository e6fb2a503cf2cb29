"""Kill everything, again and again, while tenants ask for pictures; then see whether anything was lost or came twice.

    python -m tests.chaos [--seed N] [--nightly] [--workers N --gateways N --redis N --couriers N --jobs N]

Prints what happens, and as its last line one JSON object. Exit code 1 when anything was lost, doubled or missing, or a
job waited longer than 17 s (99 %) after its worker had died, or than 60 s with the time in which no worker had room.
"""

import argparse
import asyncio
import json
import random
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from tests.chaos.adversary import Quota
from tests.chaos.campaign import Campaign
from tests.chaos.stage import TENANTS, stage
from tests.receiver import LOOPBACK, SECRET, receiving

MOST_RESTART_SECONDS = 17.0  # lease and two seconds
# With the time in which no worker had room: a job that workers pass over because they are never free, or that waits for
# workers which never come back, waits for nothing else.
MOST_IN_ALL_SECONDS = 60.0
ARMED = 0.8  # share of children, gateways and couriers that are started with a crash point
NIGHTLY = Quota(workers=2_000, gateways=50, redis=50, couriers=50)


def main() -> int:
    asked = arguments()
    quota = NIGHTLY if asked.nightly else Quota(asked.workers, asked.gateways, asked.redis, asked.couriers)
    jobs = 5_000 if asked.nightly else asked.jobs
    print(f"chaos: seed {asked.seed}, {jobs} jobs, {quota}", flush=True)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="darkroom-chaos-") as made:
        figures, problems = asyncio.run(waged(asked, asked.folder or Path(made), quota, jobs))
    figures |= {"seed": asked.seed, "seconds": round(time.monotonic() - began)}
    problems += slow(figures)
    for problem in problems:
        print(problem)
    if problems:
        print(f"chaos: FAILED; again with --seed {asked.seed}", file=sys.stderr)
    print(json.dumps(figures), flush=True)
    return 1 if problems else 0


def slow(figures: Mapping[str, Any]) -> list[str]:
    """Which bounds on restarts were missed."""
    bounds = {"restart_p99_s": MOST_RESTART_SECONDS, "restart_in_all_p99_s": MOST_IN_ALL_SECONDS}
    return [f"{name} is {figures[name]}, of {most} at most" for name, most in bounds.items() if figures[name] > most]


async def waged(asked: argparse.Namespace, folder: Path, quota: Quota, jobs: int) -> tuple[dict[str, Any], list[str]]:
    """Figures and problems of one run."""
    async with receiving() as receiver:
        settings = {
            "max_attempts": 10,  # nearly every job is to succeed in the end, whatever it meets
            "max_rows": 4,  # two jobs a worker, so that one death does not take along everything
            "outbound_allow": (LOOPBACK,),
            "outbound_ports": (receiver.port,),
            "webhook_secrets": {tenant: (SecretStr(SECRET),) for tenant in TENANTS},
            "webhook_schedule": (0, 1, 1, 2, 2, 3, 3, *[5] * 13),  # half of the answers are bad: hours would not do
            "webhook_timeout": 2.0,
        }
        with stage(folder, asked.seed, asked.forked, asked.fresh, ARMED, **settings) as standing:
            campaign = Campaign(standing, receiver, random.Random(asked.seed), quota, jobs)
            return await campaign.run(), campaign.problems


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--nightly", action="store_true")
    parser.add_argument("--jobs", type=int, default=500)
    for name, number in (("workers", 200), ("gateways", 5), ("redis", 5), ("couriers", 5)):
        parser.add_argument(f"--{name}", type=int, default=number, help="kills")
    parser.add_argument("--forked", type=int, default=3, help="workers whose children are forked")
    parser.add_argument("--fresh", type=int, default=1, help="workers whose children are new interpreters")
    parser.add_argument("--folder", type=Path, help="for logs and data, which then stay")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
