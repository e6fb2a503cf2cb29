"""Other kernels compute the same: attention by choice, and blocks compiled for rows in buckets."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from darkroom.settings import Settings
from tests.unit.engine.checkpoints import CPU
from tests.unit.engine.latents import denoise_alone, denoise_together, relative
from tests.unit.engine.loras import ATTENTION, load, planned, random_halves, sha256, write_kohya
from tests.unit.engine.networks import watch
from tests.unit.engine.works import develop, make_plan, make_work
from worker.models.checkpoint import Checkpoint
from worker.models.kernels import Kernels
from worker.models.loader import load_folder
from worker.models.placement import placement


@pytest.fixture(scope="module")
def graphs() -> list[str]:
    """The compiled graphs that were run, one after the other."""
    return []


@pytest.fixture(scope="module")
def compiled(epsilon_folder: Path, graphs: list[str]) -> Iterator[Checkpoint]:
    """Compiled for real but for the last step, which writes C++: the graphs are captured and run, with their guards."""

    def counted(graph: torch.fx.GraphModule, _examples: list[Tensor]) -> Callable[..., Any]:
        def run(*given: Any) -> Any:
            graphs.append(str(graph))
            return graph.forward(*given)

        return run

    checkpoint = load_folder("model", epsilon_folder, CPU, torch.float32)
    kernels = Kernels(compiled=True)
    kernels.prepare(checkpoint.unet, backend=counted)
    yield replace(checkpoint, kernels=kernels)
    torch._dynamo.reset()


def test_attention_by_choice_computes_the_same(epsilon: Checkpoint) -> None:
    plan = make_plan()
    expected = denoise_alone(epsilon, plan)

    for attention in ("math", "flash"):
        chosen = replace(epsilon, kernels=Kernels(attention))
        assert relative(denoise_alone(chosen, plan), expected) <= 1e-5


def test_the_attention_chosen_is_the_one_that_runs(epsilon: Checkpoint) -> None:
    seen: list[bool] = []
    chosen = replace(epsilon, kernels=Kernels("math"))
    checkpoint, _ = watch(chosen, lambda *_: seen.append(torch.backends.cuda.flash_sdp_enabled()))

    denoise_alone(checkpoint, make_plan(steps=1))

    assert seen == [False]
    assert torch.backends.cuda.flash_sdp_enabled()


@pytest.mark.parametrize(
    ("rows", "most_rows", "expected"), [(1, 16, 1), (2, 16, 2), (3, 16, 4), (5, 16, 8), (9, 16, 16), (9, 12, 12)]
)
def test_buckets_are_powers_of_two_within_the_most(rows: int, most_rows: int, expected: int) -> None:
    assert Kernels(compiled=True).bucket(rows, most_rows) == expected
    assert Kernels().bucket(rows, most_rows) == rows


def test_a_compiled_network_gets_its_rows_in_buckets(epsilon: Checkpoint) -> None:
    checkpoint, unet = watch(replace(epsilon, kernels=Kernels(compiled=True)))

    told = develop(checkpoint, [make_work(seeds=(1, 2, 3), steps=2), make_work("plain", guidance_scale=1.0, steps=1)])

    assert unet.passes == [8, 8]
    assert len(told.images["job"]) == 3


@pytest.mark.slow
def test_compiled_blocks_in_padded_batches_equal_plain_ones_alone(compiled: Checkpoint, epsilon: Checkpoint) -> None:
    plans = [make_plan(seeds=(seed,), steps=2 + seed, guidance_scale=scale) for seed, scale in ((0, 4.0), (1, 1.0))]
    expected = [denoise_alone(epsilon, plan) for plan in plans]

    together = denoise_together(compiled, plans)

    assert max(relative(found, alone) for found, alone in zip(together, expected, strict=True)) <= 1e-5


@pytest.mark.slow
def test_loras_change_a_compiled_network_as_they_change_a_plain_one(
    compiled: Checkpoint, epsilon: Checkpoint, tmp_path: Path
) -> None:
    file = write_kohya(tmp_path / "lora.safetensors", random_halves(epsilon, ATTENTION, 4, seed=0), alpha=4)
    loras = {sha256(file): load(file)}
    plain, styled = make_plan(steps=2), make_plan(steps=2, loras=(planned(file),))
    before = denoise_alone(compiled, plain)
    expected = denoise_alone(epsilon, styled, loras=loras)

    found = denoise_alone(compiled, styled, loras=loras)

    assert relative(found, expected) <= 1e-5
    assert relative(found, before) > 1e-3
    assert torch.equal(denoise_alone(compiled, plain), before)


@pytest.mark.slow
def test_deterministic_requests_are_computed_without_compiled_code(
    compiled: Checkpoint, epsilon: Checkpoint, graphs: list[str]
) -> None:
    denoise_alone(compiled, make_plan(steps=1))
    assert graphs
    graphs.clear()
    plan = make_plan(deterministic=True, steps=2)

    found = denoise_alone(compiled, plan)

    assert graphs == []
    assert torch.equal(found, denoise_alone(epsilon, plan))


def test_settings_choose_the_kernels() -> None:
    settings = Settings(device="cpu", attention="efficient", compile="regional")

    assert placement(settings).kernels == Kernels("efficient", compiled=True)
