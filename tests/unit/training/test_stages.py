"""A few steps of every stage, from a fresh tokenizer on."""

import random
from pathlib import Path

import pytest
import torch

from training import autoencoder, diffusion, latents, text
from training.tokenizer import train_tokenizer

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def quiet(stage: str, step: int, loss: float) -> None:
    assert loss == loss, f"{stage} step {step} is not a number"


def test_the_tokenizer_gives_captions_back(tmp_path: Path) -> None:
    tokenizer = train_tokenizer(1, tmp_path, captions=300)
    ids = tokenizer("two green triangles on a white background").input_ids
    assert tokenizer.decode(ids, skip_special_tokens=True).strip() == "two green triangles on a white background"


def test_standardising_leaves_the_reconstruction_as_it_was() -> None:
    torch.manual_seed(0)
    model = autoencoder.build().eval()
    pool = autoencoder.picture_pool(random.Random(0), 4)
    with torch.no_grad():
        before = model.decode(model.encode(autoencoder.to_unit(pool)).latent_dist.mean).sample
        autoencoder.standardised(model, pool)
        latents_NCHW = model.encode(autoencoder.to_unit(pool)).latent_dist.mean
        after = model.decode(latents_NCHW).sample
    assert torch.allclose(before, after, atol=1e-4)
    assert torch.allclose(latents_NCHW.std((0, 2, 3)), torch.ones(4), atol=1e-3)


@pytest.mark.slow
def test_every_stage_runs_a_few_steps(tmp_path: Path) -> None:
    tokenizer = train_tokenizer(1, tmp_path, captions=300)
    words, shares = text.train_text(tokenizer, 1, quiet, steps=2)
    vae = autoencoder.train_joint(1, quiet, steps=2)
    finished = autoencoder.train_decoder(vae, 1, quiet, steps=1)
    drawings = latents.encode_all(finished, 1, {(128, 128): 4})
    unet = diffusion.train_unet(words, latents.buckets(words, drawings), 1, quiet, steps=1)
    assert shares.keys() == text.VALUES.keys()
    assert unet.dtype == torch.float32
