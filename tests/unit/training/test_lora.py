"""The style LoRA: what it learns from, how it is trained, and the one that ships."""

import random
from pathlib import Path

import pytest
import torch

from darkroom.catalog import embedded_model_folder, open_catalog
from darkroom.settings import Settings
from training import lora
from training.checker import hollowness
from training.evaluate import generate, load
from training.scenes import render, sample_scene

pytestmark = pytest.mark.slow

SHIPPED = embedded_model_folder().parent / "loras" / "outline.safetensors"
HOLLOW = 0.12


@pytest.mark.parametrize("kind", ["single", "count", "relation", "position"])
def test_outlines_are_told_from_filled_shapes(kind: str) -> None:
    rng = random.Random(2)
    scenes = [sample_scene(rng, kind) for _ in range(60)]
    plain = [scene for scene in scenes if all(thing.shape != "ring" for thing in scene.things)]

    assert min(hollowness(render(rng, scene, lora.STROKE)) for scene in plain) > HOLLOW
    assert max(hollowness(render(rng, scene)) for scene in plain) < 0.02


def test_an_empty_picture_is_not_hollow() -> None:
    rng = random.Random(2)
    assert hollowness(render(rng, sample_scene(rng, "plain"))) == 0.0


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_a_few_steps_give_a_small_file_that_the_catalog_takes_for_the_embedded_model(tmp_path: Path) -> None:
    torch.set_num_threads(1)
    losses: list[float] = []
    file = tmp_path / "loras" / "outline.safetensors"

    lora.make(embedded_model_folder(), file, lambda stage, step, loss: losses.append(loss), pictures=4, steps=2)

    spec = open_catalog(Settings(home=tmp_path, loras={"trained": file})).loras.spec("trained", "loras.0.model")
    assert (spec.rank, spec.networks, spec.models) == (lora.RANK, ("unet",), ("tiny",))
    assert spec.bytes < 300_000
    assert len(losses) == 2
    assert all(loss == loss for loss in losses)


@pytest.mark.skipif(not SHIPPED.exists(), reason="not trained yet")
def test_the_lora_that_ships_is_small_and_fits() -> None:
    spec = open_catalog(Settings(home=Path("/nonexistent"))).loras.spec("outline", "loras.0.model")
    assert spec.models == ("tiny",)
    assert spec.bytes < 300_000


@pytest.mark.slow
@pytest.mark.skipif(not SHIPPED.exists(), reason="not trained yet")
def test_the_lora_that_ships_empties_the_shapes() -> None:
    torch.set_num_threads(1)
    pipeline = load(embedded_model_folder())
    prompts = [
        "a red circle on a white background",
        "a blue square on a yellow background",
        "two green hearts on black",
    ]
    filled = [hollowness(picture) for picture in generate(pipeline, prompts)]
    pipeline.load_lora_weights(SHIPPED.parent, weight_name=SHIPPED.name)
    hollow = [hollowness(picture) for picture in generate(pipeline, prompts)]

    assert all(after > before + HOLLOW for before, after in zip(filled, hollow, strict=True))
