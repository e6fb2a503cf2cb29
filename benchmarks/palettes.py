"""What sketches are best fitted to: `python -m benchmarks.palettes [--pictures N]`.

A palette (`worker/models/palette.py`) is fitted to pairs of latents and small pictures. Compared here is how well
palettes of several such pairs tell the colours of what the embedded model draws: the share of the variance of its
pictures, made as small as their latents, that sketches of their last latents have; and the mean error of a value in
0..255. `own` is fitted to those very pictures, so that no linear map can do better. The last line is the
figures as JSON.
"""

import argparse
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate

from benchmarks.serving.ours import in_the_engine
from benchmarks.serving.workload import at_once, requests
from darkroom.catalog import embedded_model_folder, open_catalog
from darkroom.settings import Settings
from worker.models.checkpoint import Checkpoint
from worker.models.loader import load_folder
from worker.models.palette import CELLS, PICTURES, SIDE, dead_leaves, fitted

PICTURES_DRAWN = 48
FACTOR = 8
MAX_ROWS = 16

Pairs = tuple[Tensor, Tensor]  # latents N C H W and their pictures N 3 H W, one pixel a latent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=PICTURES_DRAWN)
    torch.set_num_threads(1)
    checkpoint = load_folder("tiny", embedded_model_folder(), torch.device("cpu"), torch.float32)
    drawn = what_it_draws(checkpoint, parser.parse_args().pictures)
    print(f"{'fitted to':32}{'side':>5}{'told':>8}{'error':>8}")
    told: dict[str, float] = {}
    for name, pairs in (*candidates(checkpoint.vae), ("own", drawn)):
        for side in (1, SIDE):
            share, error = judged(pairs, drawn, side)
            print(f"{name:32}{side:5}{share:8.3f}{error:8.1f}", flush=True)
            told[f"{name}, {side} x {side}"] = round(share, 3)
    print(json.dumps({"benchmark": "palettes", "figures": told}))


def what_it_draws(checkpoint: Checkpoint, count: int) -> Pairs:
    """The last latents of so many held-out prompts, and their pictures made small."""
    latents, pictures = [], []
    decode = checkpoint.vae.decode

    def watched(latents_1CHW: Tensor, **options: Any) -> Any:
        decoded = decode(latents_1CHW, **options)
        latents.append(latents_1CHW)
        pictures.append(avg_pool2d(decoded[0].clamp(-1, 1), FACTOR))
        return decoded

    checkpoint.vae.decode = watched
    in_the_engine(checkpoint, requests(open_catalog(Settings()), count), at_once(count), MAX_ROWS)
    checkpoint.vae.decode = decode
    return torch.cat(latents), torch.cat(pictures)


@torch.inference_mode()
def candidates(vae: Any) -> Iterator[tuple[str, Pairs]]:
    dice = torch.Generator().manual_seed(0)

    def decoded(latents_NCHW: Tensor) -> Pairs:
        return latents_NCHW, avg_pool2d(vae.decode(latents_NCHW).sample.clamp(-1, 1), FACTOR)

    def encoded(pictures_N3HW: Tensor) -> Pairs:
        return vae.encode(pictures_N3HW).latent_dist.mean, avg_pool2d(pictures_N3HW, FACTOR)

    def grid(cells: int, channels: int) -> Tensor:
        return torch.randn(PICTURES, channels, cells, cells, generator=dice)

    yield "noise, decoded", decoded(grid(CELLS, 4))
    for cells in (2, 4):
        yield (
            f"smooth noise {cells} x {cells}, decoded",
            decoded(interpolate(grid(cells, 4), (CELLS, CELLS), mode="bicubic")),
        )
    side = CELLS * FACTOR
    for cells in (1, 4):
        colours = torch.rand(PICTURES, 3, cells, cells, generator=dice) * 2 - 1
        yield f"squares {cells} x {cells}, encoded", encoded(interpolate(colours, (side, side)))
    leaves = torch.from_numpy(np.stack(dead_leaves(side))).permute(0, 3, 1, 2).float() / 127.5 - 1
    yield "dead leaves, encoded", encoded(leaves)
    yield "dead leaves, encoded and decoded", decoded(encoded(leaves)[0])


@torch.inference_mode()
def judged(pairs: Pairs, drawn: Pairs, side: int) -> tuple[float, float]:
    palette = fitted(*pairs, side=side)
    sketches = np.stack([palette.paint(latents_CHW[None]) for latents_CHW in drawn[0]]).astype(float)
    pictures = ((drawn[1].permute(0, 2, 3, 1) + 1) * 127.5).numpy()
    spread = np.square(pictures - pictures.mean((0, 1, 2))).mean()
    return 1 - float(np.square(sketches - pictures).mean() / spread), float(np.abs(sketches - pictures).mean())


if __name__ == "__main__":
    main()
