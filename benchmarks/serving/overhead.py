"""Where an engine's time goes: in the networks, or around them."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from worker.models.checkpoint import Checkpoint


class Spent:
    """CPU seconds of this thread, by what they were spent on."""

    def __init__(self) -> None:
        self.seconds = {"unet": 0.0, "vae": 0.0, "text": 0.0}

    @contextmanager
    def on(self, checkpoint: Checkpoint) -> Iterator[None]:
        """While this is open, calls of the checkpoint's networks are timed."""
        with ExitStack() as patches:
            for name, owner, method in (
                ("unet", checkpoint.unet, "forward"),
                ("vae", checkpoint.vae, "decode"),
                ("text", checkpoint.text, "encode"),
            ):
                patches.enter_context(patch.object(owner, method, self._timed(name, getattr(owner, method))))
            yield

    def beyond_unet(self, busy: float) -> float:
        """Of `busy` seconds, what went neither into the U-Net nor into other networks, as a share of the U-Net's."""
        return (busy - sum(self.seconds.values())) / self.seconds["unet"]

    def _timed(self, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*given: Any, **named: Any) -> Any:
            began = time.thread_time()
            try:
                return method(*given, **named)
            finally:
                self.seconds[name] += time.thread_time() - began

        return timed
