"""What previews cost the engine: `python -m benchmarks.previews [--rounds N] [--steps N]`.

Eight images of eight requests share a lane of the embedded model, on one thread, with a sketch of each at least twice a
second in some steps and none in others, in blocks that take turns. A second is one of the engine's CPU time, so that
other work on the machine makes no sketch more. The sketches become JPEGs in a thread beside it, as in a worker.

Told are the share of the CPU time of the engine's thread that goes into sketching, counted at its one door; and how
much longer a block takes with sketches than its neighbour without, in CPU time of that thread and by the wall, the
median of all pairs. The target for each is 3 %. The last line is the figures as JSON.
"""

import argparse
import json
import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from statistics import median

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.serving.ours import Ends
from benchmarks.serving.workload import requests
from darkroom.catalog import embedded_model_folder, open_catalog
from darkroom.contract.plan import GenerationPlan
from darkroom.settings import Settings
from worker.engine import Engine, Work
from worker.models.cache import ModelCache
from worker.models.checkpoint import Checkpoint
from worker.models.loader import load_folder
from worker.models.palette import fit_palette
from worker.viewer import LONGEST, as_jpeg

IMAGES, STEPS, ROUNDS = 8, 120, 6
BLOCK = 5  # steps
MAX_ROWS = 16


@dataclass
class Block:
    """Some steps in a row: seconds of the engine's thread, on the wall, and of the first those spent sketching."""

    cpu: float = 0.0
    wall: float = 0.0
    sketching: float = 0.0


class Watching(Ends):
    """Hands sketches to a thread that encodes them."""

    def __init__(self, longest: int) -> None:
        super().__init__()
        self.sketches = 0
        self._longest = longest
        self._frames: queue.SimpleQueue[NDArray[np.uint8] | None] = queue.SimpleQueue()

    def on_preview(self, work: Work, index: int, rgb_HWC: NDArray[np.uint8]) -> None:
        self.sketches += 1
        self._frames.put(rgb_HWC)

    @contextmanager
    def encoding(self) -> Iterator[None]:
        thread = threading.Thread(target=self._encode)
        thread.start()
        try:
            yield
        finally:
            self._frames.put(None)
            thread.join()

    def _encode(self) -> None:
        while (rgb_HWC := self._frames.get()) is not None:
            as_jpeg(rgb_HWC, self._longest)


def run(checkpoint: Checkpoint, plans: list[GenerationPlan]) -> tuple[list[tuple[Block, Block]], int]:
    """Pairs of neighbouring blocks, (without, with sketches), which come first in turns; and how many sketches."""
    watching = Watching(min(LONGEST, *plans[0].final_size))
    engine = Engine(ModelCache(lambda _: checkpoint, lambda _: 1, 1), watching, MAX_ROWS, clock=time.thread_time)
    engine.sketching._clock = time.thread_time
    look = engine.sketching.look
    for index, plan in enumerate(plans):
        engine.admit(Work(str(index), 1, plan))
    pairs = []
    with watching.encoding():
        engine.step()  # the first one reads prompts
        for number in range((plans[0].steps - 1) // (2 * BLOCK)):
            pair = Block(), Block()
            for block in pair if number % 2 else pair[::-1]:
                sketched = block is pair[1]
                engine.sketching.look = _counted(look, block) if sketched else _nothing  # type: ignore[method-assign]
                cpu, wall = time.thread_time(), time.perf_counter()
                for _ in range(BLOCK):
                    engine.step()
                block.cpu, block.wall = time.thread_time() - cpu, time.perf_counter() - wall
            pairs.append(pair)
    engine.close()
    return pairs, watching.sketches


def _counted(look: Callable[..., None], block: Block) -> Callable[..., None]:
    def counting(seats: object) -> None:
        began = time.thread_time()
        look(seats)
        block.sketching += time.thread_time() - began

    return counting


def _nothing(_seats: object) -> None:
    pass


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--steps", type=int, default=STEPS)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    checkpoint = load_folder("tiny", embedded_model_folder(), torch.device("cpu"), torch.float32)
    began = time.thread_time()
    checkpoint = replace(checkpoint, palette=fit_palette(checkpoint.vae))
    fit_ms = (time.thread_time() - began) * 1e3
    alike = {"steps": asked.steps, "scheduler": "ddim", "guidance_scale": 4.5, "previews": True}
    plans = [plan.model_copy(update=alike) for plan in requests(open_catalog(Settings()), IMAGES)]
    pairs: list[tuple[Block, Block]] = []
    for _ in range(asked.rounds):
        found, sketches = run(checkpoint, plans)
        pairs += found
        per_second = sketches / sum(sketched.cpu for _, sketched in found)
        print(f"{len(pairs):4} pairs, {per_second:5.1f} sketches a second: {told(pairs)}", flush=True)
    figures = told(pairs) | {"fit_cpu_ms": round(fit_ms)}
    print(json.dumps({"benchmark": "previews", "figures": figures}))


def told(pairs: list[tuple[Block, Block]]) -> dict[str, float]:
    return {
        "sketching_share_of_cpu": round(median(one.sketching / one.cpu for _, one in pairs), 4),
        "cpu_longer_with_previews": round(median(one.cpu / none.cpu for none, one in pairs) - 1, 4),
        "wall_longer_with_previews": round(median(one.wall / none.wall for none, one in pairs) - 1, 4),
    }


if __name__ == "__main__":
    main()
