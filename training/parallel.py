"""Data parallelism on one machine: small tensors keep two processes of one thread busier than two threads of one."""

import datetime
import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.distributed as dist
from torch import Tensor

PATIENCE = datetime.timedelta(minutes=10)  # for one another; reading the captions may take some of them


@dataclass(frozen=True)
class Team:
    """`size` processes that train one network; this is number `rank`. Every one must call `average` equally often."""

    rank: int = 0
    size: int = 1

    def average(self, tensors: Sequence[Tensor]) -> None:
        """Replace each tensor, float32, by its mean over the team."""
        if self.size == 1:
            return
        flat = torch.cat([tensor.flatten() for tensor in tensors])
        dist.all_reduce(flat)
        parts = (flat / self.size).split([tensor.numel() for tensor in tensors])
        torch._foreach_copy_(list(tensors), [part.view_as(t) for part, t in zip(parts, tensors, strict=True)])


ALONE = Team()


@contextmanager
def joined(meeting: Path, rank: int, size: int) -> Iterator[Team]:
    """A team that meets over the file `meeting`, which must not be there before the first of it comes."""
    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    _arrival(meeting, rank).touch()
    dist.init_process_group(
        "gloo", init_method=f"file://{meeting.absolute()}", timeout=PATIENCE, rank=rank, world_size=size
    )
    try:
        yield Team(rank, size)
    finally:
        dist.destroy_process_group()


@contextmanager
def gathered(meeting: Path, command: Sequence[str], size: int) -> Iterator[Team]:
    """This process as rank 0, and `command RANK SIZE` for each of the others, which must join over the same file."""
    for left_over in (meeting, *(_arrival(meeting, rank) for rank in range(size))):
        left_over.unlink(missing_ok=True)
    peers = [subprocess.Popen([*command, str(rank), str(size)]) for rank in range(1, size)]  # noqa: S603
    try:
        _await_arrival(meeting, peers)
        with joined(meeting, 0, size) as team:
            yield team
        if any(peer.wait() for peer in peers):
            raise RuntimeError("a process that trained along has failed")
    finally:
        for peer in peers:
            peer.kill()
            peer.wait()


def _arrival(meeting: Path, rank: int) -> Path:
    return meeting.with_name(f"{meeting.name}.{rank}")


def _await_arrival(meeting: Path, peers: Sequence[subprocess.Popen[bytes]]) -> None:
    """One that died on its way would be waited for as long as `PATIENCE`. Raises: RuntimeError."""
    for rank, peer in enumerate(peers, start=1):
        while not _arrival(meeting, rank).exists():
            if peer.poll() is not None:
                raise RuntimeError("a process that was to train along has died")
            time.sleep(0.05)
