"""Rows -> predictions: one pass of the U-Net, and what is done when it fails."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from darkroom.errors import GenerationError, OutOfMemory
from worker.engine.faults import fatal, out_of_memory
from worker.engine.sample import Row
from worker.models.checkpoint import Checkpoint

Prediction = Tensor | GenerationError


@dataclass
class Forward:
    """Runs rows through the U-Net of `checkpoint`, at most `most_rows` at once; fewer after running out of memory.

    With `fixed_rows` every pass has exactly that many rows, padded with copies: kernels then see the same shapes
    whatever the load, and a row's bits do not depend on its neighbours.
    """

    checkpoint: Checkpoint
    most_rows: int
    fixed_rows: int | None = None
    free_memory: Callable[[], None] = lambda: None

    def __call__(self, rows: Sequence[Row]) -> list[Prediction]:
        """One float32 prediction 1CHW a row, or why there is none. Raises what the device does not recover from."""
        return [prediction for chunk in self._chunks(rows) for prediction in self._attempt(chunk)]

    def _chunks(self, rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
        for start in range(0, len(rows), self.most_rows):
            yield rows[start : start + self.most_rows]

    def _attempt(self, rows: Sequence[Row]) -> list[Prediction]:
        try:
            return self._pass(rows)
        except Exception as error:
            if fatal(error):
                raise
            return self._without_memory(rows) if out_of_memory(error) else self._halves(rows, error)

    def _pass(self, rows: Sequence[Row]) -> list[Prediction]:
        padding = [rows[0]] * ((self.fixed_rows or 0) - len(rows))
        predictions_RCHW = denoise(self.checkpoint, [*rows, *padding])
        return list(torch.split(predictions_RCHW[: len(rows)], 1))

    def _halves(self, rows: Sequence[Row], error: Exception) -> list[Prediction]:
        """Find the row at fault, so that the others go on."""
        if len(rows) == 1:
            failure = GenerationError(f"a denoising step failed ({type(error).__name__})")
            failure.__cause__ = error
            return [failure]
        middle = len(rows) // 2
        return [*self._attempt(rows[:middle]), *self._attempt(rows[middle:])]

    def _without_memory(self, rows: Sequence[Row]) -> list[Prediction]:
        """Once more with caches dropped, then with half the rows from now on, down to one."""
        self.free_memory()
        try:
            return self._pass(rows)
        except Exception as error:
            if not out_of_memory(error):
                raise
        if len(rows) == 1 or self.fixed_rows:
            return [OutOfMemory("not enough device memory for one picture of this size") for _ in rows]
        self.most_rows = (len(rows) + 1) // 2
        return self(rows)


@torch.inference_mode()
def denoise(checkpoint: Checkpoint, rows: Sequence[Row]) -> Tensor:
    """One U-Net pass over rows at different timesteps: float32, R C H W."""
    device, dtype = checkpoint.device, checkpoint.dtype
    predictions_RCHW: Tensor = checkpoint.unet(
        torch.cat([row.latents_1CHW for row in rows]).to(device, dtype),
        torch.tensor([row.timestep for row in rows], dtype=torch.float32, device=device),
        encoder_hidden_states=torch.cat([row.conditioning.context_1TC for row in rows]),
        added_cond_kwargs=_added_conditions(rows),
        return_dict=False,
    )[0]
    return predictions_RCHW.float()


def _added_conditions(rows: Sequence[Row]) -> dict[str, Any] | None:
    """SDXL's pooled text and size conditions; None for families without."""
    pooled = [row.conditioning.pooled_1P for row in rows if row.conditioning.pooled_1P is not None]
    time_ids = [row.conditioning.time_ids_1K for row in rows if row.conditioning.time_ids_1K is not None]
    if not pooled:
        return None
    return {"text_embeds": torch.cat(pooled), "time_ids": torch.cat(time_ids)}
