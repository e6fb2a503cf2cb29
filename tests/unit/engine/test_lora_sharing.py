"""Rows with different LoRAs share forward passes, and nothing of a LoRA is left behind."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from darkroom.contract.plan import GenerationPlan
from tests.unit.engine.latents import denoise_alone, denoise_together, relative
from tests.unit.engine.loras import (
    ATTENTION,
    CONVOLUTIONS,
    TEXT,
    load,
    planned,
    random_halves,
    sha256,
    write_kohya,
)
from tests.unit.engine.networks import watch
from tests.unit.engine.works import make_plan
from worker.models.checkpoint import Checkpoint
from worker.models.lora import Lora
from worker.models.lora_mix import LoraMix

# Other layers, other ranks: slots are padded, and some layers are changed for some rows alone.
KINDS = ((ATTENTION, 4), (CONVOLUTIONS, 2), ((*ATTENTION, *CONVOLUTIONS), 7), (("to_k", *TEXT), 3))


@pytest.fixture(scope="module")
def files(epsilon: Checkpoint, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("loras")
    return [
        write_kohya(folder / f"{index}.safetensors", random_halves(epsilon, targets, rank, seed=index), alpha=rank)
        for index, (targets, rank) in enumerate(KINDS)
    ]


@pytest.fixture(scope="module")
def loras(files: list[Path]) -> dict[str, Lora]:
    return {sha256(file): load(file) for file in files}


def mixture(files: list[Path], **fields: object) -> list[GenerationPlan]:
    """One with each LoRA, one with two of them, one with the first at another weight, and two with none."""
    worn = [(planned(file),) for file in files]
    worn += [(planned(files[0], 0.5), planned(files[2], -1.0)), (planned(files[0], 0.3),), (), ()]
    names = ("ddim", "euler_a", "dpmpp_2m")
    return [
        make_plan(
            loras=one,
            scheduler=names[index % 3],
            steps=3 + index % 3,
            guidance_scale=(4.0, 1.0)[index % 2],
            seeds=(index,),
            **fields,
        )
        for index, one in enumerate(worn)
    ]


def bits(checkpoint: Checkpoint) -> list[Tensor]:
    return [tensor.clone() for tensor in (*checkpoint.unet.parameters(), *checkpoint.unet.buffers())]


@pytest.mark.parametrize("every", [pytest.param(0, marks=pytest.mark.slow), 1])
def test_a_batch_of_different_loras_and_none_equals_solo_runs(
    epsilon: Checkpoint, files: list[Path], loras: dict[str, Lora], every: int
) -> None:
    plans = mixture(files)
    alone = [denoise_alone(epsilon, plan, loras=loras) for plan in plans]

    together = denoise_together(epsilon, plans, every=every, loras=loras)

    assert max(relative(found, expected) for found, expected in zip(together, alone, strict=True)) <= 1e-5


def test_the_rows_of_a_mixture_really_share_passes(
    epsilon: Checkpoint, files: list[Path], loras: dict[str, Lora]
) -> None:
    checkpoint, unet = watch(epsilon)

    denoise_together(checkpoint, mixture(files), loras=loras)

    assert max(unet.passes) >= 12


@pytest.mark.slow
def test_deterministic_requests_have_the_same_bits_whatever_loras_their_neighbours_have(
    epsilon: Checkpoint, files: list[Path], loras: dict[str, Lora]
) -> None:
    plans = mixture(files, deterministic=True)
    alone = [denoise_alone(epsilon, plan, loras=loras) for plan in plans]

    crowded = denoise_together(epsilon, plans, every=1, loras=loras)
    reversed_order = denoise_together(epsilon, plans[::-1], loras=loras)[::-1]

    assert all(torch.equal(found, expected) for found, expected in zip(crowded, alone, strict=True))
    assert all(torch.equal(found, expected) for found, expected in zip(reversed_order, alone, strict=True))


def test_a_lora_leaves_the_next_request_and_the_network_as_they_were(
    epsilon: Checkpoint, files: list[Path], loras: dict[str, Lora]
) -> None:
    plan = make_plan(scheduler="euler_a", seeds=(1, 2))
    canary, weights = denoise_alone(epsilon, plan), bits(epsilon)

    for wearing in mixture(files):
        denoise_alone(epsilon, wearing, loras=loras)
        assert torch.equal(denoise_alone(epsilon, plan), canary)

    assert all(torch.equal(now, before) for now, before in zip(bits(epsilon), weights, strict=True))
    assert not any(module._forward_hooks for module in epsilon.layers.values())


def test_a_pass_that_fails_leaves_no_lora_behind(
    epsilon: Checkpoint, files: list[Path], loras: dict[str, Lora]
) -> None:
    hooked: list[bool] = []

    def before(latents: Tensor, context: Tensor) -> None:
        hooked.append(any(module._forward_hooks for module in epsilon.layers.values()))
        raise ValueError("boom")

    with pytest.raises(AssertionError):
        denoise_alone(watch(epsilon, before)[0], make_plan(loras=(planned(files[0]),)), loras=loras)

    assert hooked == [True] * len(hooked) != []
    assert not any(module._forward_hooks for module in epsilon.layers.values())


def test_rows_without_a_lora_pass_through_an_untouched_network(epsilon: Checkpoint) -> None:
    def before(latents: Tensor, context: Tensor) -> None:
        assert not any(module._forward_hooks for module in epsilon.layers.values())

    denoise_alone(watch(epsilon, before)[0], make_plan())


def test_a_neighbour_whose_lora_overflows_spoils_nobody(
    epsilon: Checkpoint, loras: dict[str, Lora], tmp_path: Path
) -> None:
    halves = {key: (down * 1e30, up * 1e30) for key, (down, up) in random_halves(epsilon, ATTENTION, 2, 9).items()}
    huge = write_kohya(tmp_path / "huge.safetensors", halves, alpha=2.0)
    plan, plain = make_plan(loras=(planned(huge),)), make_plan(seeds=(5,))
    known = {**loras, sha256(huge): load(huge)}

    spoiled, kept = denoise_together(epsilon, [plan, plain], loras=known)

    assert not torch.isfinite(spoiled).all()
    assert relative(kept, denoise_alone(epsilon, plain)) <= 1e-5


def test_a_text_is_remembered_apart_for_each_lora_that_touches_it(
    epsilon: Checkpoint, files: list[Path], loras: dict[str, Lora]
) -> None:
    plain = make_plan(prompt="a green star", loras=())
    wearing = plain.model_copy(update={"loras": (planned(files[3]),)})
    stronger = plain.model_copy(update={"loras": (planned(files[3], 2.0),)})
    first, other, third = (denoise_alone(epsilon, plan, loras=loras) for plan in (plain, wearing, stronger))

    assert torch.equal(denoise_alone(epsilon, plain), first)
    assert torch.equal(denoise_alone(epsilon, wearing, loras=loras), other)
    assert relative(other, first) > 0.01
    assert relative(third, other) > 0.01


def test_a_step_of_many_passes_mixes_its_loras_once(
    epsilon: Checkpoint, files: list[Path], loras: dict[str, Lora], monkeypatch: pytest.MonkeyPatch
) -> None:
    mixed = []

    def counted(*given: object, **named: object) -> LoraMix:
        mixed.append(given)
        return LoraMix(*given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr("worker.engine.forward.LoraMix", counted)
    prompts = [" BREAK ".join(["words"] * chunks) for chunks in (1, 2, 3)]
    plans = [
        make_plan(prompt=text, deterministic=True, loras=(planned(file),), steps=4)
        for text, file in zip(prompts, files, strict=False)
    ]

    denoise_together(epsilon, plans, loras=loras)

    assert len(mixed) == len(prompts)
