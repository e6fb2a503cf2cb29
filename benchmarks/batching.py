"""What batching at every step is worth: `python -m benchmarks.batching [--requests N] [--max-rows N]`.

The same requests, which differ in prompt, steps (15 to 50), scheduler and guidance, are served three ways on the same
weights, on one thread: by diffusers' pipeline one at a time, by a static micro-batcher over that pipeline, and by our
engine. They arrive as the same Poisson process, of which one at a time sees more, on a clock that only CPU time moves
(`serving/clock.py`). Loads are in units of what the pipeline can do one at a time; goodput is the load at which 95 % of
the requests take at most three times what they take alone there.

The model is the embedded one at its native size, 16 x 16 latents: small enough that sharing a pass pays on a CPU. The
last line is the figures as JSON; results with their dates are in `benchmarks/results`.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import cycle, islice
from statistics import median

import torch

from benchmarks.serving.figures import good_share, goodput, p95
from benchmarks.serving.ours import in_the_engine
from benchmarks.serving.overhead import Spent
from benchmarks.serving.stock import Stock, in_static_batches, one_by_one, seconds_alone
from benchmarks.serving.workload import arrivals, at_once, requests, with_loras
from darkroom.catalog import embedded_model_folder, open_catalog
from darkroom.contract.plan import GenerationPlan
from darkroom.settings import Settings
from worker.models.checkpoint import Checkpoint
from worker.models.loader import load_folder

REQUESTS = 600
# At 0.95 of what it can do, a server takes thousands of requests to show how long its line becomes. One at a time, that
# costs nothing to find out: what each takes alone is known, and they only wait for one another.
LINE = 20_000
MAX_ROWS = 16
LOAD = 0.95
# Where 95 % good answers are expected to end, so that few and shorter runs enclose it together with that at LOAD.
STATIC_LOADS, ENGINE_LOADS, ENCLOSING = (0.35,), (0.8, 1.1), 100
WARM, SATURATED, ROUNDS = 8, 24, 3


@dataclass
class Bench:
    """One comparison: the requests, and what each takes alone in the pipeline (`alone`, CPU seconds)."""

    stock: Stock
    checkpoint: Checkpoint
    plans: Sequence[GenerationPlan]
    max_rows: int
    alone: list[float] = field(default_factory=list)

    def latencies(self, way: str, load: float, count: int) -> list[float]:
        """Of the first `count` requests by one of the three ways, at `load`."""
        come, plans = arrivals(count, load * self.capacity), self.plans[:count]
        if way == "one by one":
            return one_by_one(self.taking(count), come)
        if way == "static":
            return in_static_batches(self.stock, plans, come, self.max_rows)
        return in_the_engine(self.checkpoint, plans, come, self.max_rows).latencies

    def at(self, way: str, load: float, count: int) -> tuple[float, float]:
        """(p95 in seconds, share of good answers) of the first `count` requests; prints them."""
        latencies = self.latencies(way, load, count)
        found = p95(latencies), good_share(latencies, self.taking(count))
        print(f"{way:12}{load:6.2f}{median(latencies):9.2f}{found[0]:9.2f}{found[1]:8.0%}", flush=True)
        return found

    def taking(self, count: int) -> list[float]:
        """What each of `count` requests takes alone: the plans in turn, again and again."""
        return list(islice(cycle(self.alone), count))

    @property
    def capacity(self) -> float:
        """Requests a second one at a time."""
        return len(self.alone) / sum(self.alone)

    def per_second(self, plans: Sequence[GenerationPlan]) -> float:
        """Of our engine, when all of them wait from the beginning."""
        return len(plans) / in_the_engine(self.checkpoint, plans, at_once(len(plans)), self.max_rows).busy


def compare(bench: Bench) -> dict[str, float]:
    """The figures of the three ways against one another."""
    bench.alone = seconds_alone(bench.stock, bench.plans, rounds=2)
    print(f"one at a time: {bench.capacity:.2f} requests a CPU second\n")
    print(f"{'':12}{'load':>6}{'median s':>9}{'p95 s':>9}{'good':>8}")
    count = len(bench.plans)
    alone, _ = bench.at("one by one", LOAD, LINE)
    static, static_good = bench.at("static", LOAD, count)
    ours, ours_good = bench.at("engine", LOAD, count)
    few = min(ENCLOSING, count)
    static_shares = [(LOAD, static_good), *((load, bench.at("static", load, few)[1]) for load in STATIC_LOADS)]
    our_shares = [(LOAD, ours_good), *((load, bench.at("engine", load, few)[1]) for load in ENGINE_LOADS)]
    return {
        "p95_at_095_vs_batch1": ours / alone,
        "p95_vs_static": ours / static,
        "goodput_vs_static": goodput(our_shares) / goodput(static_shares),
    }


def saturate(bench: Bench) -> dict[str, float]:
    """The figures of our engine with a full line, beside the pipeline's on the same requests in the same minutes."""
    plans = bench.plans[:SATURATED]
    gains, styled, beyond = [], [], []
    for _ in range(ROUNDS):
        one_at_a_time = sum(seconds_alone(bench.stock, plans))
        spent = Spent()
        with spent.on(bench.checkpoint):
            plain = bench.per_second(plans)
        beyond.append(spent.beyond_unet(len(plans) / plain))
        gains.append(plain * one_at_a_time / len(plans))
        styled.append(bench.per_second(with_loras(plans)) / plain)
        print(f"with a full line {gains[-1]:.2f} times one at a time, four LoRAs {styled[-1]:.2f} of that", flush=True)
    return {
        "saturated_throughput_vs_batch1": median(gains),
        "four_loras_vs_none": median(styled),
        "overhead_beyond_unet": median(beyond),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=REQUESTS)
    parser.add_argument("--max-rows", type=int, default=MAX_ROWS)
    options = parser.parse_args()
    torch.set_num_threads(1)
    folder = embedded_model_folder()
    plans = requests(open_catalog(Settings(), remember=False), options.requests)
    checkpoint = load_folder("tiny", folder, torch.device("cpu"), torch.float32)
    bench = Bench(Stock(folder), checkpoint, plans, options.max_rows)
    seconds_alone(bench.stock, plans[:WARM])
    bench.per_second(plans[:WARM])
    figures = saturate(bench) | compare(bench)
    print(json.dumps({"benchmark": "batching", "figures": {name: round(value, 4) for name, value in figures.items()}}))


if __name__ == "__main__":
    main()
