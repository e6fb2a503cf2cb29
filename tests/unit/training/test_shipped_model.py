"""The model that ships."""

from pathlib import Path

import pytest
import torch

from training.evaluate import generate, load, megabytes

pytestmark = pytest.mark.slow

MODEL = Path(__file__).parents[3] / "worker" / "tiny" / "model"


def test_it_loads_as_float32_and_draws() -> None:
    torch.set_num_threads(1)
    pipeline = load(MODEL)
    (picture,) = generate(pipeline, ["a red circle on a white background"])
    assert {pipeline.text_encoder.dtype, pipeline.unet.dtype, pipeline.vae.dtype} == {torch.float32}
    assert picture.shape == (128, 128, 3)


def test_it_is_small_and_holds_no_pickles() -> None:
    assert megabytes(MODEL) <= 12
    assert not [file for file in MODEL.rglob("*") if file.suffix in {".bin", ".pt", ".pth", ".ckpt", ".pkl"}]
