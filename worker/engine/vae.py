"""The VAE's work, and what is done when it runs out of memory."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from darkroom.errors import OutOfMemory
from worker.engine.faults import out_of_memory
from worker.models.checkpoint import Checkpoint

T = TypeVar("T")

# First guess at one picture, of the slower VAEs on a CPU. A device that is quicker is soon known to be.
SECONDS_PER_PIXEL = 4.0 / 512**2


@dataclass(frozen=True)
class Circumstances:
    """What is done about memory, and told of each attempt, while a VAE works."""

    free_memory: Callable[[], None] = lambda: None
    before: Callable[[], None] = lambda: None


AT_LEISURE = Circumstances()


def run_vae(checkpoint: Checkpoint, run: Callable[[], T], circumstances: Circumstances) -> T:
    """`run()`; once more with caches dropped, and the VAE working tile by tile, where memory was short.

    Raises: OutOfMemory.
    """
    circumstances.before()
    try:
        return run()
    except Exception as error:
        if not out_of_memory(error):
            raise
    circumstances.free_memory()
    circumstances.before()
    checkpoint.vae.enable_tiling()
    try:
        return run()
    except Exception as error:
        if not out_of_memory(error):
            raise
        raise OutOfMemory("not enough device memory for the VAE at a picture of this size") from error
    finally:
        checkpoint.vae.disable_tiling()
