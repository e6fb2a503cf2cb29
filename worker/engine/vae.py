"""The VAE's work, and what is done when it runs out of memory."""

from collections.abc import Callable
from typing import TypeVar

from darkroom.errors import OutOfMemory
from worker.engine.faults import out_of_memory
from worker.models.checkpoint import Checkpoint

T = TypeVar("T")


def run_vae(checkpoint: Checkpoint, run: Callable[[], T], free_memory: Callable[[], None]) -> T:
    """`run()`; once more with caches dropped, and the VAE working tile by tile, where memory was short.

    Raises: OutOfMemory.
    """
    try:
        return run()
    except Exception as error:
        if not out_of_memory(error):
            raise
    free_memory()
    checkpoint.vae.enable_tiling()
    try:
        return run()
    except Exception as error:
        if not out_of_memory(error):
            raise
        raise OutOfMemory("not enough device memory for the VAE at a picture of this size") from error
    finally:
        checkpoint.vae.disable_tiling()
