"""What more workers bring, and what a job costs the ledger: `python -m benchmarks.scaling [--quick]`, in six minutes.

A Valkey of its own, with `appendfsync always`. First the ledger by itself, `INFO` read before and after calls of one
kind: with 100 and 10,000 jobs in line, a thousand workers, a thousand tenants; how long a claim takes by the wall with
few and many in line; whose jobs are served where one tenant has sent half of all. Then what requests take a gateway,
and what 1, 2 and 4 worker processes bring on the embedded model, one after another in one run, so that their ratios are
of one machine in one state.

Every processor microsecond is the kernel's, and so much the same on a busy machine; jobs a second and milliseconds are
not. The last line is the figures as JSON: `benchmarks.fleet` reads the newest in `benchmarks/results/`.
"""

import argparse
import asyncio
import json
import os
import tempfile
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.ledger import crowd, processes
from benchmarks.ledger.costs import Bench, bench, costs
from benchmarks.ledger.gateways import request_ms
from benchmarks.ledger.machine import machine
from benchmarks.ledger.meter import Cost
from darkroom.ledger.server import LocalRedis

WORKERS = (1, 2, 4)
TENANTS = 10  # where it is not them that are many
SERVERS = 10  # workers that attend, where it is not them that are many

Costs = dict[str, Cost]


@dataclass(frozen=True)
class Extent:
    """How much is measured."""

    few: int = 100
    many: int = 10_000
    calls: int = 320
    crowd: int = 1_000
    window: float = processes.WINDOW


QUICK = Extent(few=50, many=1_000, calls=64, crowd=100, window=8)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a twentieth of everything, to see that it works")
    extent = QUICK if parser.parse_args().quick else Extent()
    figures: dict[str, Any] = {"machine": machine()}
    print("machine:", figures["machine"], flush=True)
    with tempfile.TemporaryDirectory(prefix="darkroom-scaling-") as folder:
        with LocalRedis(Path(folder) / "ledger") as server:
            figures |= asyncio.run(of_the_ledger(server.url, extent))
        with LocalRedis(Path(folder) / "gateway") as server:
            figures["gateway_ms"] = asyncio.run(request_ms(server.url, Path(folder) / "home", extent.calls))
            print(f"a request takes a gateway {figures['gateway_ms']} ms", flush=True)
        with LocalRedis(Path(folder) / "workers") as server:
            figures["workers"] = asyncio.run(of_workers(server.url, Path(folder) / "home", extent))
    figures["machine"]["load_after"] = round(os.getloadavg()[0], 2)
    print(json.dumps({"benchmark": "scaling", "figures": figures}))


async def of_the_ledger(url: str, extent: Extent) -> dict[str, Any]:
    told: dict[str, Costs] = {}
    async with bench(url, tenants=TENANTS, workers=SERVERS) as at:
        await at.line.fill(at.ledger, extent.few)
        told["few"] = await _costs("few in line", at, extent)
        await at.line.fill(at.ledger, extent.calls)  # those that the next claims take
        waits = {"few": await crowd.claim_ms(at, extent.calls)}
        memory = [await crowd.used_memory(at.server)]
        await at.line.fill(at.ledger, extent.many)
        memory.append(await crowd.used_memory(at.server))
        told["many"] = await _costs("many in line", at, extent)
        memory.append(await crowd.used_memory(at.server))
        waits["many"] = await crowd.claim_ms(at, extent.calls)
        got = await crowd.shares(at, extent.many // 17)  # so few that nobody's line runs out
        synced = await crowd.fsync_ms(at)
    for name, tenants, workers in (("workers", TENANTS, extent.crowd), ("tenants", extent.crowd, SERVERS)):
        async with bench(url, tenants=tenants, workers=workers) as at:
            await at.line.fill(at.ledger, 2 * extent.crowd)
            told[name] = await _costs(f"many {name}", at, extent)
    queued, ended = (after - before for before, after in pairwise(memory))
    figures = {
        "grows": {name: round(cost.cpu_us / told["few"][name].cpu_us, 2) for name, cost in told["many"].items()},
        "claim_ms": waits,
        "fairness": {
            "tenants": TENANTS,
            "jain": round(crowd.jain(got), 4),
            "share_of_who_sent_half": round(got["tenant-0"] / sum(got.values()), 4),
        },
        "fsync_ms": synced,
        "bytes": {"queued": round(queued / extent.many), "ended": round(ended / extent.calls)},
    }
    print(*(f"{name}: {each}" for name, each in figures.items()), sep="\n", flush=True)
    return {"extent": asdict(extent), "ledger": {name: _plain(each) for name, each in told.items()}, **figures}


async def _costs(what: str, at: Bench, extent: Extent) -> Costs:
    found = await costs(at, extent.calls)
    print(f"{what:16} CPU us  commands      in     out    file, bytes a call", flush=True)
    for name, cost in found.items():
        print(
            f"  {name:12}{cost.cpu_us:8.1f}{cost.commands:10.1f}", *(f"{each:7.0f}" for each in cost.bytes), flush=True
        )
    return found


def _plain(found: Costs) -> dict[str, Any]:
    return {name: asdict(cost) for name, cost in found.items()}


async def of_workers(url: str, home: Path, extent: Extent) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = []
    async for pace in processes.paces(url, home, WORKERS, extent.window):
        told.append(asdict(pace))
        told[-1]["ratio"] = round(pace.jobs_per_second / told[0]["jobs_per_second"], 2)
        print(", ".join(f"{name} {value}" for name, value in told[-1].items()), flush=True)
    return told


if __name__ == "__main__":
    main()
