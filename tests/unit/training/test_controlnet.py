"""The canny ControlNet: what it learns from, how it begins, and the one that ships."""

import random
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks.control import TINY, agreement, figures, generate, scenes, steered
from darkroom.catalog import open_catalog
from darkroom.settings import Settings
from training import controlnet
from training.evaluate import load
from training.scenes import place, sample_scene


def test_loose_shapes_are_those_of_the_scene_elsewhere() -> None:
    rng = random.Random(2)
    items = place(rng, sample_scene(rng, "count"))
    loose = [controlnet.loosened(rng, item) for item in items]
    assert [(item.shape, item.rgb) for item in loose] == [(item.shape, item.rgb) for item in items]
    assert all(one.x != other.x and one.angle != other.angle for one, other in zip(items, loose, strict=True))


def test_edges_agree_with_themselves_and_hardly_with_themselves_moved() -> None:
    picture = np.zeros((64, 64, 3), np.uint8)
    picture[16:40, 16:40] = 255
    lines = controlnet.edges(picture)
    assert agreement(lines, lines) == 1.0
    assert agreement(np.roll(lines, 2, axis=1), lines) == 1.0
    assert agreement(np.roll(lines, 12, axis=(0, 1)), lines) < 0.3
    assert agreement(np.zeros_like(lines), lines) == 0.0


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_untrained_it_changes_nothing_and_a_few_steps_change_it(tmp_path: Path) -> None:
    torch.set_num_threads(1)
    unet = load(TINY / "model").unet
    net = controlnet.build(unet)
    down, middle = net(
        torch.randn(1, 4, 16, 16), 500, torch.randn(1, 24, 128), torch.ones(1, 3, 128, 128), return_dict=False
    )
    assert not any(tensor.any() for tensor in (*down, middle))
    few = controlnet.Sketches(
        torch.randn(4, 4, 16, 16).bfloat16(),
        torch.randn(4, controlnet.CAPTIONS, 24, 128).bfloat16(),
        torch.zeros(4, 128, 128, dtype=torch.uint8),
    )
    losses: list[float] = []

    def run(steps: int) -> controlnet.ControlNetModel:
        batches = controlnet.Batches(few, torch.zeros(24, 128).bfloat16(), 1)
        report = lambda stage, step, loss: losses.append(loss)  # noqa: E731
        fresh = load(TINY / "model").unet
        return controlnet.train(controlnet.build(fresh), fresh, batches, report, steps, tmp_path / "checkpoint.pt")

    trained = run(2)
    assert trained.controlnet_mid_block.weight.any()
    assert len(losses) == 2
    assert all(np.isfinite(losses))


def test_the_one_that_ships_is_small_and_fits() -> None:
    spec = open_catalog(Settings(home=Path("/nonexistent"))).controlnets.spec("tiny-canny", "controlnets.0.model")
    assert (spec.type, spec.models) == ("canny", ("tiny",))
    assert spec.bytes < 6_000_000


@pytest.mark.slow
def test_the_one_that_ships_is_followed() -> None:
    torch.set_num_threads(1)
    pipeline, drawn = load(TINY / "model"), scenes(9)
    texts, maps = [prompt.text for prompt, _ in drawn], [controlnet.edges(picture) for _, picture in drawn]

    without = figures(generate(pipeline, texts), maps)
    followed = figures(generate(steered(pipeline, TINY / "controlnets" / "canny"), texts, maps), maps)

    assert followed["f1"] > 0.7
    assert followed["f1"] > without["f1"] + 0.4
