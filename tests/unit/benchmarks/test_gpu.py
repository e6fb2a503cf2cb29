"""The GPU benchmark cannot run here in earnest, so its code is tried on a network that a CPU can do."""

import json
from typing import Any

import pytest
import torch

from benchmarks import gpu
from benchmarks.accelerator import runs
from benchmarks.accelerator.networks import build, flops
from worker.engine import Engine
from worker.models.checkpoint import Checkpoint
from worker.models.kernels import Kernels


def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    monkeypatch.setattr("sys.argv", ["gpu", *arguments])
    gpu.main()
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def test_without_a_gpu_it_says_so(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)

    assert run(monkeypatch, capsys) == {"benchmark": "gpu", "figures": {}, "skipped": "no CUDA device"}


@pytest.mark.slow
def test_it_measures_engine_and_pipeline(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    figures = run(monkeypatch, capsys, "--tiny", "--max-rows", "4")["figures"]

    assert figures["tiny_engine_per_second"] > 0 < figures["tiny_eager_per_second"]


@pytest.mark.slow
def test_the_knee_is_found_before_anything_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    settled: list[list[bool]] = []
    serve = runs._serve

    def watched(engine: Engine, checkpoint: Checkpoint, steps: int, pictures: int) -> None:
        settled.append([knee.settled for knee in engine._lanes._knees.values()])
        serve(engine, checkpoint, steps, pictures)

    monkeypatch.setattr(runs, "_serve", watched)
    runs.engine_per_second(build("tiny", torch.device("cpu"), torch.float32, Kernels()), 2, 4, 16)

    assert settled == [[], [True]]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "row", "decoding"), [("sd15", 0.803e12, 2.515e12), ("sdxl", 6.761e12, 10.47e12)])
def test_the_networks_are_as_large_as_the_real_ones(name: str, row: float, decoding: float) -> None:
    assert flops(name) == pytest.approx((row, decoding), rel=0.01)
