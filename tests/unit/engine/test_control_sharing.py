"""Rows with different ControlNets, and with none, share passes, and nobody's picture changes by it."""

import pytest
import torch

from tests.unit.engine.canvases import redrawn
from tests.unit.engine.controls import load, planned, steered, write_controlnet
from tests.unit.engine.latents import denoise_alone, denoise_together, relative
from tests.unit.engine.networks import watch
from tests.unit.engine.works import make_work
from worker.engine import Work
from worker.models.checkpoint import Checkpoint
from worker.models.controlnet import Controlnet

LONG = "a red circle above two green stars, " * 12  # two chunks


@pytest.fixture(scope="module")
def nets(epsilon: Checkpoint, tmp_path_factory: pytest.TempPathFactory) -> list[Controlnet]:
    root = tmp_path_factory.mktemp("nets")
    return [load(write_controlnet(root / f"net-{seed}", epsilon.unet, seed)) for seed in (21, 22)]


def mixture(nets: list[Controlnet], **fields: object) -> list[Work]:
    """Each net, both in either order and in other windows, one net twice, and none; guided and not."""
    first, second = nets
    controls = [
        (planned(first),),
        (planned(second, 0.6),),
        (planned(first, 0.5), planned(second, 1.5, 0.3)),
        (planned(second), planned(first, 1.0, 0.0, 0.5)),
        (planned(first, 0.4), planned(first, 1.2), planned(second)),
        (),
    ]
    works = [
        make_work(f"job{index}", seeds=(index,), steps=3 + index % 3, guidance_scale=(4.0, 1.0)[index % 2], **fields)
        for index in range(len(controls))
    ]
    return [
        steered(work, *some, seed=10 * index) for index, (work, some) in enumerate(zip(works, controls, strict=True))
    ]


@pytest.mark.slow
@pytest.mark.parametrize("every", [pytest.param(0, marks=pytest.mark.slow), 2])
def test_a_batch_of_different_controls_and_none_equals_solo_runs(
    epsilon: Checkpoint, nets: list[Controlnet], every: int
) -> None:
    works = [*mixture(nets), steered(redrawn("picture", steps=4), planned(nets[1]))]
    alone = [denoise_alone(epsilon, work, nets=nets) for work in works]

    together = denoise_together(epsilon, works, nets=nets, every=every)

    assert max(relative(found, expected) for found, expected in zip(together, alone, strict=True)) <= 1e-5


def test_prompts_of_other_lengths_take_part(epsilon: Checkpoint, nets: list[Controlnet]) -> None:
    works = [
        steered(make_work("short"), planned(nets[0])),
        steered(make_work("long", prompt=LONG), planned(nets[0])),
        make_work("none", prompt=LONG),
    ]
    alone = [denoise_alone(epsilon, work, nets=nets) for work in works]

    together = denoise_together(epsilon, works, nets=nets)

    assert max(relative(found, expected) for found, expected in zip(together, alone, strict=True)) <= 1e-5


def test_rows_with_and_without_a_control_share_one_pass(epsilon: Checkpoint, nets: list[Controlnet]) -> None:
    watched, unet = watch(epsilon)
    denoise_together(
        watched, [steered(make_work("one", steps=1), planned(nets[0])), make_work("two", steps=1)], nets=nets
    )
    assert unet.passes == [4]


@pytest.mark.slow
def test_a_deterministic_picture_has_the_same_bits_whoever_has_a_control_beside_it(
    epsilon: Checkpoint, nets: list[Controlnet]
) -> None:
    works = mixture(nets, deterministic=True)
    alone = [denoise_alone(epsilon, work, nets=nets) for work in works]

    together = denoise_together(epsilon, works, nets=nets, every=1)

    assert all(torch.equal(found, expected) for found, expected in zip(together, alone, strict=True))


def test_fewer_rows_after_running_out_of_memory_find_the_same(epsilon: Checkpoint, nets: list[Controlnet]) -> None:
    def full(latents: torch.Tensor, _: torch.Tensor) -> None:
        if len(latents) > 2:
            raise torch.OutOfMemoryError("full")

    works = [steered(make_work(f"job{seed}", seeds=(seed,), steps=2), planned(nets[seed])) for seed in (0, 1)]
    alone = [denoise_alone(epsilon, work, nets=nets) for work in works]

    together = denoise_together(watch(epsilon, full)[0], works, nets=nets)

    assert max(relative(found, expected) for found, expected in zip(together, alone, strict=True)) <= 1e-5
