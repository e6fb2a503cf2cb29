"""Rows -> predictions: one pass of the U-Net, and what is done when it fails."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from math import lcm

import torch
from torch import Tensor

from darkroom.errors import GenerationError, OutOfMemory
from worker.engine.contexts import MOST_SHARED_TOKENS, contexts, sharing
from worker.engine.control import Told, residuals
from worker.engine.faults import as_failure, fatal, out_of_memory
from worker.engine.sample import Row
from worker.models.checkpoint import Checkpoint
from worker.models.lora_mix import LoraMix, RowKey, row_key

Prediction = Tensor | GenerationError

# Beyond what a pass takes, where the blocks of a network are compiled for new shapes on the way.
COMPILE_SECONDS = 100.0


@dataclass
class Passes:
    """The rows of each pass, copies included. `usual` when none of them failed and nothing was compiled on the way."""

    rows: list[int] = field(default_factory=list)
    usual: bool = True


@dataclass
class Forward:
    """Runs rows through the U-Net of `checkpoint`, at most `most_rows` at once; fewer after running out of memory.

    With `fixed_rows` every pass has exactly that many rows, padded with copies: kernels then see the same shapes
    whatever the load, and a row's bits do not depend on its neighbours. For the same reason rows whose prompts have
    different numbers of chunks share no pass there. A compiled U-Net gets its rows padded likewise, to a few counts.

    `before` is told of each pass: its rows, and seconds it may take beyond what so many rows take. `passes` are those
    of the last call.
    """

    checkpoint: Checkpoint
    most_rows: int
    fixed_rows: int | None = None
    free_memory: Callable[[], None] = lambda: None
    before: Callable[[int, float], None] = lambda rows, extra: None
    passes: Passes = field(default_factory=Passes, init=False)
    _shapes: set[tuple[int, int]] = field(default_factory=set, init=False)
    _mixes: dict[tuple[RowKey, ...], LoraMix] = field(default_factory=dict, init=False)
    _mixed: set[tuple[RowKey, ...]] = field(default_factory=set, init=False)

    def __call__(self, rows: Sequence[Row]) -> list[Prediction]:
        """One float32 prediction 1CHW a row, or why there is none. Raises what the device does not recover from."""
        self._mixed.clear()
        self.passes = Passes()
        predictions: dict[int, Prediction] = {}
        lengths = [row.conditioning.context_1TC.shape[1] for row in rows]
        for together in sharing(lengths, self._most_shared):
            predictions |= zip(together, self._in_turn([rows[index] for index in together]), strict=True)
        # Rows rarely change from one step to the next: the next finds what this one mixed, and nothing older is kept.
        self._mixes = {keys: self._mixes[keys] for keys in self._mixed if keys in self._mixes}
        return [predictions[index] for index in range(len(rows))]

    @property
    def _most_shared(self) -> int:
        """Networks that also pool the words, with one token for the mean beside them, would see them repeated."""
        pools = getattr(self.checkpoint.unet.config, "addition_embed_type", None) == "text"
        return 0 if pools or self.fixed_rows else MOST_SHARED_TOKENS

    def _in_turn(self, rows: Sequence[Row]) -> list[Prediction]:
        predictions: list[Prediction] = []
        while len(predictions) < len(rows):
            predictions += self._attempt(rows[len(predictions) :][: self.most_rows])
        return predictions

    def _attempt(self, rows: Sequence[Row], *, freed: bool = False) -> list[Prediction]:
        try:
            return self._pass(rows)
        except Exception as error:
            if fatal(error):
                raise
            self.passes.usual = False
            if not out_of_memory(error):
                return self._halves(rows, error)
        # Out of the except block, where the traceback no longer keeps the pass's tensors alive.
        if not freed:
            self._mixes.clear()
            self.free_memory()
            return self._attempt(rows, freed=True)
        return self._fewer(rows)

    def _pass(self, rows: Sequence[Row]) -> list[Prediction]:
        computed = self.fixed_rows or self.checkpoint.kernels.bucket(len(rows), self.most_rows)
        padded = [*rows, *[rows[0]] * (computed - len(rows))]
        self.passes.rows.append(computed)
        self.before(computed, self._compiling(padded))
        with self._code(padded), self._adapted(padded):
            predictions_RCHW = denoise(self.checkpoint, padded, fixed=self.fixed_rows is not None)
        return list(torch.split(predictions_RCHW[: len(rows)], 1))

    def _code(self, rows: Sequence[Row]) -> AbstractContextManager[None]:
        """Compiled code sees no LoRAs; and in lanes of fixed rows no pass may be computed otherwise than another."""
        return self.checkpoint.kernels.uncompiled() if self._plain(rows) else nullcontext()

    def _plain(self, rows: Sequence[Row]) -> bool:
        return self.fixed_rows is not None or any(row.loras for row in rows)

    def _compiling(self, rows: Sequence[Row]) -> float:
        """Seconds allowed for compiling: none for shapes that ran before."""
        shape = len(rows), lcm(*(row.conditioning.context_1TC.shape[1] for row in rows))
        if not self.checkpoint.kernels.compiled or self._plain(rows) or shape in self._shapes:
            return 0.0
        self._shapes.add(shape)
        self.passes.usual = False
        return COMPILE_SECONDS

    def _adapted(self, rows: Sequence[Row]) -> AbstractContextManager[None]:
        """The rows' LoRAs over the U-Net; nothing at all when no row has any."""
        keys = tuple(row_key(row.loras) for row in rows)
        if not any(keys):
            return nullcontext()
        self._mixed.add(keys)
        if keys not in self._mixes:
            loras, alone = [row.loras for row in rows], self.fixed_rows is not None
            self._mixes[keys] = LoraMix(self.checkpoint.layers, "unet", loras, row_by_row=alone)
        return self._mixes[keys].applied()

    def _halves(self, rows: Sequence[Row], error: Exception) -> list[Prediction]:
        """Find the row at fault, so that the others go on."""
        if len(rows) == 1:
            return [as_failure(error, "a denoising step")]
        middle = len(rows) // 2
        return [*self._attempt(rows[:middle]), *self._attempt(rows[middle:])]

    def _fewer(self, rows: Sequence[Row]) -> list[Prediction]:
        """With half the rows from now on, down to one."""
        if len(rows) == 1 or self.fixed_rows:
            return [OutOfMemory("not enough device memory for a picture of this size") for _ in rows]
        self.most_rows = (len(rows) + 1) // 2
        return self._in_turn(rows)


@torch.inference_mode()
def denoise(checkpoint: Checkpoint, rows: Sequence[Row], *, fixed: bool = False) -> Tensor:
    """One U-Net pass over rows at different timesteps, and what ControlNets add to it: float32, R C H W."""
    device, dtype = checkpoint.device, checkpoint.dtype
    with checkpoint.kernels.attending():
        told = Told(
            torch.cat([row.latents_1CHW for row in rows]).to(device, dtype),
            torch.tensor([row.timestep for row in rows], dtype=torch.float32, device=device),
            contexts([row.conditioning.context_1TC for row in rows]),
            _added_conditions(rows),
        )
        predictions_RCHW: Tensor = checkpoint.unet(
            told.latents_RCHW,
            told.timesteps_R,
            encoder_hidden_states=told.contexts_RTC,
            added_cond_kwargs=told.added,
            **residuals(told, [row.controls for row in rows], fixed=fixed),
            return_dict=False,
        )[0]
    return predictions_RCHW.float()


def _added_conditions(rows: Sequence[Row]) -> dict[str, Tensor] | None:
    """SDXL's pooled text and size conditions; None for families without."""
    pooled = [row.conditioning.pooled_1P for row in rows if row.conditioning.pooled_1P is not None]
    time_ids = [row.conditioning.time_ids_1K for row in rows if row.conditioning.time_ids_1K is not None]
    if not pooled:
        return None
    return {"text_embeds": torch.cat(pooled), "time_ids": torch.cat(time_ids)}
