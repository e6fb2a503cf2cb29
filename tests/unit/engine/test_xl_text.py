"""Both encoders of Stable Diffusion XL read the same words, each in its own way."""

from pathlib import Path

import pytest
import torch
from diffusers import StableDiffusionXLPipeline
from safetensors.torch import save_file
from torch import Tensor
from transformers import CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

from darkroom.catalog import Catalog
from darkroom.catalog.digests import DigestCache
from darkroom.catalog.embeddings import read_embeddings
from darkroom.contract.plan import PlannedEmbedding
from tests.unit.engine.checkpoints import CPU
from tests.unit.engine.latents import relative
from tests.unit.engine.xl import WIDTHS, pipeline
from worker.models.checkpoint import Checkpoint
from worker.models.conditioning import Conditioning
from worker.models.embeddings import load_vectors, open_shelf
from worker.models.loader import load_checkpoint

pytestmark = pytest.mark.slow

RED, BLUE = "a red circle", "two blue stars"


def by_diffusers(checkpoint: Checkpoint, text: str, clip_skip: int | None = None) -> tuple[Tensor, Tensor]:
    """(context, pooled text)."""
    pipe = pipeline(StableDiffusionXLPipeline, checkpoint.spec.path)
    with torch.inference_mode():
        context_1TC, _, pooled_1P, _ = pipe.encode_prompt(
            text, device=CPU, do_classifier_free_guidance=False, clip_skip=clip_skip
        )
    return context_1TC, pooled_1P


def assert_equal(found: Conditioning, context_1TC: Tensor, pooled_1P: Tensor) -> None:
    assert torch.equal(found.context_1TC, context_1TC)
    assert found.pooled_1P is not None
    assert torch.equal(found.pooled_1P, pooled_1P)


@pytest.mark.parametrize(("text", "clip_skip"), [("", None), (RED, None), (RED, 1)])
def test_plain_words_are_what_the_pipeline_makes_of_them(xl: Checkpoint, text: str, clip_skip: int | None) -> None:
    assert_equal(xl.text.encode(text, clip_skip or 0), *by_diffusers(xl, text, clip_skip))


def test_a_refiner_reads_with_the_second_encoder_alone(xl: Checkpoint, refiner: Checkpoint) -> None:
    tokenizer = CLIPTokenizer.from_pretrained(f"{refiner.spec.path}/tokenizer_2")
    encoder = CLIPTextModelWithProjection.from_pretrained(f"{refiner.spec.path}/text_encoder_2").eval()
    ids_1T = tokenizer(RED, padding="max_length", return_tensors="pt").input_ids
    with torch.inference_mode():
        encoded = encoder(ids_1T, output_hidden_states=True)

    assert_equal(refiner.text.encode(RED), encoded.hidden_states[-2], encoded.text_embeds)


def test_chunks_are_set_one_after_the_other_and_the_first_is_pooled(xl: Checkpoint) -> None:
    (red_1TC, pooled_1P), (blue_1TC, _) = by_diffusers(xl, RED), by_diffusers(xl, BLUE)

    assert_equal(xl.text.encode(f"{RED} BREAK {BLUE}"), torch.cat([red_1TC, blue_1TC], dim=1), pooled_1P)


def test_weights_are_laid_on_each_encoder_by_itself(xl: Checkpoint) -> None:
    plain_1TC, pooled_1P = by_diffusers(xl, RED)
    weights_1T1 = torch.ones(1, plain_1TC.shape[1], 1)
    weights_1T1[0, 2] = 1.3  # start, "a", "red"
    parts = []
    for part_1TC in torch.split(plain_1TC, list(WIDTHS), dim=2):
        weighted_1TC = part_1TC * weights_1T1
        parts.append(weighted_1TC * (part_1TC.mean() / weighted_1TC.mean()))

    found = xl.text.encode("a (red:1.3) circle")

    assert relative(found.context_1TC, torch.cat(parts, dim=2)) <= 1e-5
    assert found.pooled_1P is not None
    assert relative(found.pooled_1P, pooled_1P) <= 1e-6


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    dice = torch.Generator().manual_seed(0)
    widths = zip(("clip_l", "clip_g"), WIDTHS, strict=True)
    vectors = {name: torch.randn(2, width, generator=dice) for name, width in widths}
    path = tmp_path_factory.mktemp("embeddings") / "neon.safetensors"
    save_file(vectors, path)
    return path


def test_an_embedding_has_vectors_for_both_encoders_and_a_refiner_takes_the_second(
    xl: Checkpoint, refiner: Checkpoint, file: Path
) -> None:
    known = read_embeddings(
        {"neon": file}, [xl.spec, refiner.spec.model_copy(update={"name": "finish"})], DigestCache().sha256
    )
    catalog = Catalog([xl.spec], default=xl.spec.name, embeddings=known)
    spec = catalog.embeddings.spec("neon")
    assert spec is not None
    assert spec.models == ("finish", "model")
    wanted = (PlannedEmbedding(name="neon", sha256=spec.sha256),)
    vectors = load_vectors(file, spec.sha256)

    base = load_checkpoint(xl.spec, CPU, torch.float32, open_shelf(catalog)).text.encode("a NEON star", 0, wanted)
    refined = load_checkpoint(refiner.spec, CPU, torch.float32, open_shelf(catalog)).text.encode("neon", 0, wanted)

    first, second = (learned(xl, which, "a <0> <1> star", vectors[which]) for which in (0, 1))
    torch.testing.assert_close(base.context_1TC, torch.cat([first, second], dim=2))
    torch.testing.assert_close(refined.context_1TC, learned(refiner, 1, "<0> <1>", vectors[1]))


def learned(checkpoint: Checkpoint, which: int, words: str, vectors_NC: Tensor) -> Tensor:
    """What an encoder makes of `words` that was taught `vectors_NC` as new tokens <0>, <1> and so on."""
    end = ("", "_2")[which]
    tokenizer = CLIPTokenizer.from_pretrained(f"{checkpoint.spec.path}/tokenizer{end}")
    kind = (CLIPTextModel, CLIPTextModelWithProjection)[which]
    encoder = kind.from_pretrained(f"{checkpoint.spec.path}/text_encoder{end}").eval()
    tokenizer.add_tokens([f"<{index}>" for index in range(len(vectors_NC))])
    table_VC = torch.cat([encoder.get_input_embeddings().weight.data, vectors_NC])
    encoder.set_input_embeddings(torch.nn.Embedding.from_pretrained(table_VC))
    ids_1T = tokenizer(words, padding="max_length", return_tensors="pt").input_ids
    with torch.inference_mode():
        return encoder(ids_1T, output_hidden_states=True).hidden_states[-2]
