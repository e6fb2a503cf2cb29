"""What coefficient tables save: stepping all images of a lane together, against a diffusers object for each.

python benchmarks/stepping.py [--rows 8] [--steps 30] [--side 64]

Milliseconds of one step for all rows, without the network. The last line is JSON.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from typing import Any

import torch

from worker.engine.course import Course, SchedulerCourse, set_out
from worker.engine.schedulers import make_scheduler
from worker.engine.stepping import add_up

CONFIG: dict[str, Any] = {
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "prediction_type": "epsilon",
    "set_alpha_to_one": False,
    "steps_offset": 1,
}
LANES = {
    "euler": ["euler"],
    "dpmpp_2m_karras": ["dpmpp_2m_karras"],
    "dpmpp_2m_sde": ["dpmpp_2m_sde"],
    "unipc": ["unipc"],
    "pndm": ["pndm"],
    "mixed": ["ddim", "euler_a", "dpmpp_2m", "dpmpp_2m_sde", "unipc", "lms", "pndm", "deis"],
}
REPEATS = 5


def run(courses: list[Course], steps: int, side: int) -> float:
    """Milliseconds a step for all `courses` together."""
    predictions = [torch.randn(1, 4, side, side) for _ in courses]
    latents = [torch.randn(1, 4, side, side) for _ in courses]
    began = time.perf_counter()
    for step in range(steps):
        for course, latents_1CHW in zip(courses, latents, strict=True):
            course.scaled(step, latents_1CHW)
        moves = zip(courses, latents, predictions, strict=True)
        latents = add_up([course.move(step, here_1CHW, there_1CHW) for course, here_1CHW, there_1CHW in moves])
    return (time.perf_counter() - began) / steps * 1e3


def compare(names: list[str], rows: int, steps: int, side: int) -> dict[str, float]:
    generators = [torch.Generator().manual_seed(row) for row in range(rows)]

    def by_table() -> list[Course]:
        return [set_out(names[row % len(names)], CONFIG, steps, generators[row]) for row in range(rows)]

    def by_object() -> list[Course]:
        schedulers = [make_scheduler(names[row % len(names)], CONFIG, steps) for row in range(rows)]
        return [SchedulerCourse(scheduler, generators[row], 0) for row, scheduler in enumerate(schedulers)]

    with torch.inference_mode():
        table_ms, object_ms = (_median(make, steps, side) for make in (by_table, by_object))
    return {"table_ms": round(table_ms, 3), "object_ms": round(object_ms, 3), "ratio": round(object_ms / table_ms, 1)}


def _median(make: Callable[[], list[Course]], steps: int, side: int) -> float:
    return statistics.median(run(make(), steps, side) for _ in range(REPEATS))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for option, default in (("--rows", 8), ("--steps", 30), ("--side", 64)):
        parser.add_argument(option, type=int, default=default)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    measured: dict[str, dict[str, float]] = {}
    for title, names in LANES.items():
        measured[title] = compare(names, asked.rows, asked.steps, asked.side)
        print(f"{title:16s}", measured[title], flush=True)
    figures = {f"{title}_{name}": value for title, row in measured.items() for name, value in row.items()}
    print(json.dumps({"benchmark": "stepping", "figures": figures | {"rows": asked.rows, "side": asked.side}}))


if __name__ == "__main__":
    main()
