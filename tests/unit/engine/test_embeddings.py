"""Textual inversions take the place of their names in a prompt."""

import hashlib
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor
from transformers import CLIPTextModel, CLIPTokenizer

from darkroom.catalog import Catalog
from darkroom.catalog.digests import DigestCache
from darkroom.catalog.embeddings import read_embeddings
from darkroom.contract.plan import PlannedEmbedding
from darkroom.errors import BrokenWeights, MissingWeights
from tests.unit.engine.checkpoints import CPU
from tests.unit.engine.latents import denoise_alone, denoise_together, relative
from tests.unit.engine.works import make_plan
from worker.models.checkpoint import Checkpoint
from worker.models.embeddings import load_vectors, open_shelf
from worker.models.loader import load_checkpoint

WIDTH = 32


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("embeddings")
    vectors_NC = torch.randn(3, WIDTH, generator=torch.Generator().manual_seed(0))
    save_file({"emb_params": vectors_NC}, folder / "neon.safetensors")
    save_file({"emb_params": vectors_NC[:1]}, folder / "neon-red.safetensors")
    return folder


@pytest.fixture(scope="module")
def catalog(folder: Path, epsilon: Checkpoint) -> Catalog:
    files = {path.stem: path for path in folder.iterdir()}
    known = read_embeddings(files, [epsilon.spec], DigestCache().sha256)
    return Catalog([epsilon.spec], default=epsilon.spec.name, embeddings=known)


@pytest.fixture(scope="module")
def checkpoint(epsilon: Checkpoint, catalog: Catalog) -> Checkpoint:
    return load_checkpoint(epsilon.spec, CPU, torch.float32, open_shelf(catalog))


def planned(catalog: Catalog, *names: str) -> tuple[PlannedEmbedding, ...]:
    specs = [catalog.embeddings.spec(name) for name in names]
    return tuple(PlannedEmbedding(name=spec.name, sha256=spec.sha256) for spec in specs if spec)


def learned(checkpoint: Checkpoint, words: str, vectors_NC: Tensor) -> Tensor:
    """What an encoder makes of `words` that was taught `vectors_NC` as new tokens <0>, <1> and so on."""
    tokenizer = CLIPTokenizer.from_pretrained(f"{checkpoint.spec.path}/tokenizer")
    encoder = CLIPTextModel.from_pretrained(f"{checkpoint.spec.path}/text_encoder").eval()
    tokenizer.add_tokens([f"<{index}>" for index in range(len(vectors_NC))])
    table_VC = torch.cat([encoder.get_input_embeddings().weight.data, vectors_NC])
    encoder.set_input_embeddings(torch.nn.Embedding.from_pretrained(table_VC))
    with torch.inference_mode():
        return encoder(tokenizer(words, padding="max_length", return_tensors="pt").input_ids).last_hidden_state


def test_a_name_becomes_its_vectors(checkpoint: Checkpoint, catalog: Catalog, folder: Path) -> None:
    spec = catalog.embeddings.spec("neon")
    assert spec is not None
    (vectors_NC,) = load_vectors(folder / "neon.safetensors", spec.sha256)

    found = checkpoint.text.encode("a NEON circle", 0, planned(catalog, "neon"))

    torch.testing.assert_close(found.context_1TC, learned(checkpoint, "a <0> <1> <2> circle", vectors_NC))


def test_of_two_names_that_begin_alike_the_longer_one_is_meant(checkpoint: Checkpoint, catalog: Catalog) -> None:
    both = planned(catalog, "neon", "neon-red")

    longer = checkpoint.text.encode("neon-red", 0, both).context_1TC

    assert torch.equal(longer, checkpoint.text.encode("neon-red", 0, planned(catalog, "neon-red")).context_1TC)
    assert not torch.equal(longer, checkpoint.text.encode("neon -red", 0, planned(catalog, "neon")).context_1TC)


def test_a_prompt_without_the_embedding_keeps_its_bits(
    checkpoint: Checkpoint, epsilon: Checkpoint, catalog: Catalog
) -> None:
    checkpoint.text.encode("neon", 0, planned(catalog, "neon"))

    for text in ("neon", "a red circle"):
        assert torch.equal(checkpoint.text.encode(text).context_1TC, epsilon.text.encode(text).context_1TC)


def test_requests_with_and_without_embeddings_share_a_batch(checkpoint: Checkpoint, catalog: Catalog) -> None:
    plans = [
        make_plan(prompt="(neon:1.2) star", embeddings=planned(catalog, "neon")),
        make_plan(prompt="neon star"),
        make_plan(prompt="red", negative_prompt="neon-red", embeddings=planned(catalog, "neon-red")),
    ]
    alone = [denoise_alone(checkpoint, plan) for plan in plans]

    together = denoise_together(checkpoint, plans, every=1)

    assert max(relative(found, expected) for found, expected in zip(together, alone, strict=True)) <= 1e-5
    assert relative(alone[0], alone[1]) > 1e-3


def test_an_embedding_that_is_not_the_planned_one_is_refused(checkpoint: Checkpoint) -> None:
    with pytest.raises(BrokenWeights, match="changed"):
        checkpoint.text.encode("neon", 0, (PlannedEmbedding(name="neon", sha256="0" * 64),))
    with pytest.raises(MissingWeights):
        checkpoint.text.encode("gone", 0, (PlannedEmbedding(name="gone", sha256="0" * 64),))


def test_an_embedding_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "folder.safetensors"
    folder.mkdir()
    with pytest.raises(BrokenWeights, match=r"folder\.safetensors"):
        load_vectors(folder, "0" * 64)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_vectors_that_are_not_numbers_are_refused(tmp_path: Path, value: float) -> None:
    path = tmp_path / "bad.safetensors"
    save_file({"emb_params": torch.full((1, WIDTH), value)}, path)

    with pytest.raises(BrokenWeights, match="finite"):
        load_vectors(path, hashlib.sha256(path.read_bytes()).hexdigest())
