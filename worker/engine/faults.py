"""What went wrong on the device, told from the exception."""

from collections.abc import Callable
from typing import TypeVar

import torch

from darkroom.errors import GenerationError, OutOfMemory

T = TypeVar("T")


def out_of_memory(error: BaseException) -> bool:
    """On a GPU an exception of its own; on a CPU a plain RuntimeError of the allocator."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and "DefaultCPUAllocator" in str(error)


def fatal(error: BaseException) -> bool:
    """A CUDA context that has failed once fails ever after: only a new process helps."""
    if isinstance(error, torch.AcceleratorError):
        return True
    return isinstance(error, RuntimeError) and "CUDA error" in str(error) and not out_of_memory(error)


def sparing(run: Callable[[], T], free_memory: Callable[[], None]) -> T:
    """`run()`; once more with `free_memory()` called where memory was short. Raises: what the last attempt raises."""
    try:
        return run()
    except Exception as error:
        if not out_of_memory(error):
            raise
    # Out of the except block, where the traceback no longer keeps the attempt's tensors alive.
    free_memory()
    return run()


def as_failure(error: Exception, doing: str) -> GenerationError:
    """`error` as what a job ends with. Its own words stay in `__cause__`: they may quote the prompt."""
    if isinstance(error, GenerationError):
        return error
    kind = OutOfMemory if out_of_memory(error) else GenerationError
    failure = kind(f"{doing} failed ({type(error).__name__})")
    failure.__cause__ = error
    return failure
