"""The device's memory: what is dropped where it is short, and whether it came back."""

import time
from collections.abc import Callable
from typing import Final

import torch

from darkroom.errors import OutOfMemory
from darkroom.log import get_logger
from worker.models.cache import ModelCache
from worker.models.lora_cache import LoraCache

# A picture fails for want of memory, what it held is dropped, and then this part of the device may still be missing:
# pictures that go on hold some, networks that make control maps stay, and the allocator loses some to gaps.
MOST_MISSING: Final = 0.2
# So long after the failure it is looked at, so that what else was in work then is mostly done.
SETTLE_SECONDS: Final = 5.0

log = get_logger(__name__)


class DeviceMemory:
    """Belongs to the engine's thread. `usable` tells the bytes that could be had now, and the device's bytes in all;
    None for a device that cannot tell.

    A device that came short fails the picture. One that stays short, because something of that picture was never given
    back, would fail every picture after it: then `on_lost` is called, for only a new process helps. What is missing is
    measured against the first look, so memory that other processes had taken by then is none of it, and the process
    that follows does not end because of their greed.
    """

    def __init__(
        self,
        models: ModelCache,
        loras: LoraCache,
        usable: Callable[[], tuple[int, int] | None] = lambda: None,
        on_lost: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._models = models
        self._loras = loras
        self._usable = usable
        self._on_lost = on_lost
        self._clock = clock
        self._first = self._unaccounted()
        self._look_at: float | None = None

    def free(self) -> None:
        """Drop everything nobody uses."""
        self._models.evict_idle()
        self._loras.evict()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def failed(self, error: BaseException) -> None:
        """A picture ended with this; of interest where it ended for want of memory."""
        if isinstance(error, OutOfMemory) and self._look_at is None:
            self._look_at = self._clock() + SETTLE_SECONDS

    def look(self) -> None:
        """Between two steps: see whether the memory came back, when it is time to."""
        if self._look_at is None or self._clock() < self._look_at:
            return
        self._look_at = None
        self.free()
        told, first = self._unaccounted(), self._first
        if told is None or first is None:
            return
        (taken, total), (taken_at_first, _) = told, first
        if taken - taken_at_first > MOST_MISSING * total:
            log.error("memory.lost", missing_bytes=taken - taken_at_first, total_bytes=total)
            self._on_lost()

    def _unaccounted(self) -> tuple[int, int] | None:
        """Bytes that are neither usable nor the weights of loaded models; and the device's in all."""
        told = self._usable()
        if told is None:
            return None
        usable, total = told
        return total - usable - self._models.taken_bytes(), total


def usable_memory(device: torch.device) -> tuple[int, int] | None:
    """What the driver has left and what torch's allocator holds unused; of all there is."""
    if device.type != "cuda":
        return None
    free, total = torch.cuda.mem_get_info(device)
    return free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device), total
