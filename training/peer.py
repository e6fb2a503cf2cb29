"""One more process that trains the U-Net: `python -m training.peer WORK RANK SIZE`, started by `training.parallel`."""

import sys
from pathlib import Path

import torch

from training import parallel
from training.train import MEETING, THREADS, Journal, Workshop


def main() -> None:
    """Train along with rank 0, which keeps the result."""
    work, rank, size = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    torch.set_num_threads(THREADS)
    torch.use_deterministic_algorithms(True)
    with parallel.joined(work / MEETING, rank, size) as team:
        Workshop(work, Journal(None)).train_unet(team)


if __name__ == "__main__":
    main()
