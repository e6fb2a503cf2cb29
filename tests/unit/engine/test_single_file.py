"""Checkpoints in one file: the same networks, and the same pictures, as the folder of diffusers they were made from."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers.loaders import single_file_utils
from safetensors.torch import load_file, save_file
from torch import Tensor

from darkroom.catalog import embedded_model_folder
from darkroom.catalog.checkpoint import read_checkpoint
from darkroom.catalog.single_file import read_single_file
from darkroom.catalog.weights import fresh_sha256
from darkroom.contract.model import ModelSpec
from darkroom.errors import BrokenWeights, ModelError
from tests.unit.engine import originals
from tests.unit.engine.canvases import redrawn, repainted
from tests.unit.engine.checkpoints import CPU
from tests.unit.engine.originals import Kind
from tests.unit.engine.works import develop, make_work
from worker.engine import Work
from worker.models.checkpoint import Checkpoint
from worker.models.loader import load_checkpoint
from worker.models.open import weight_bytes

pytestmark = pytest.mark.slow

KINDS = {
    "sd1": originals.SD1,
    "sd1-inpaint": originals.SD1_INPAINT,
    "sd2": originals.SD2,
    "sd2-v": originals.SD2_V,
    "xl": originals.XL,
    "xl-inpaint": originals.XL_INPAINT,
    "refiner": originals.REFINER,
}


@dataclass(frozen=True)
class Pair:
    folder: Path
    file: Path
    networks: dict[str, Any]


Pairs = Callable[[str], Pair]


@pytest.fixture(scope="session")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Pairs:
    """A checkpoint of a kind in both layouts."""

    @cache
    def pair(name: str) -> Pair:
        kind, place = KINDS[name], tmp_path_factory.mktemp(name)
        networks = originals.make_networks(kind)
        file = originals.save_original(kind, networks, place / f"{name}.safetensors")
        if kind.velocity:
            file.with_suffix(".yaml").write_text('model:\n  params:\n    parameterization: "v"\n')
        return Pair(originals.save_folder(kind, networks, place / "folder"), file, networks)

    return pair


def tokenizers(tokens: int) -> str:
    return str(embedded_model_folder() / "tokenizer") if tokens == 1000 else ""


def spec_of(file: Path) -> ModelSpec:
    return read_single_file("model", file, fresh_sha256, tokenizers)


def load(spec: ModelSpec, dtype: torch.dtype = torch.float32) -> Checkpoint:
    return load_checkpoint(spec, CPU, dtype)


def networks_of(checkpoint: Checkpoint) -> dict[str, Any]:
    """With the text encoders layer by layer."""
    layers = {"/".join(key): layer for key, layer in checkpoint.layers.items()}
    return {"unet": checkpoint.unet, "vae": checkpoint.vae, **layers}


def work_for(kind: Kind) -> Work:
    if kind.channels == 9:
        return repainted(steps=2, scheduler="ddim")
    if kind is originals.REFINER:
        return redrawn(steps=4, strength=0.5, scheduler="ddim")
    return make_work(steps=2, scheduler="ddim", prompt="a red circle and a (blue:1.2) square", negative_prompt="green")


@pytest.mark.parametrize("name", KINDS)
def test_a_file_is_the_folder_it_was_made_from(pairs: Pairs, name: str) -> None:
    pair = pairs(name)
    expected = load(read_checkpoint("model", pair.folder, fresh_sha256))

    found = load(spec_of(pair.file))

    for key in ("_class_name", "prediction_type", "beta_start", "beta_end", "beta_schedule", "steps_offset"):
        assert found.scheduler_config[key] == expected.scheduler_config[key]
    for part, network in networks_of(expected).items():
        ours = networks_of(found)[part].state_dict()
        assert ours.keys() == network.state_dict().keys()
        assert all(torch.equal(ours[name], tensor) for name, tensor in network.state_dict().items())
    for words in ("", "a red circle"):
        assert torch.equal(found.text.encode(words).context_1TC, expected.text.encode(words).context_1TC)
    work = work_for(KINDS[name])
    ours, theirs = (develop(checkpoint, [work]).images["job"][0].astype(int) for checkpoint in (found, expected))
    # The same numbers at other addresses: sums may differ in their last bit.
    assert np.abs(ours - theirs).max() <= 1


@pytest.mark.parametrize("name", KINDS)
def test_a_file_is_described_as_the_folder_is(pairs: Pairs, name: str) -> None:
    pair = pairs(name)
    expected, found = read_checkpoint("model", pair.folder, fresh_sha256), spec_of(pair.file)
    apart = {"path", "weights", "layout", "tokenizer"}
    assert found.model_dump(exclude=apart) == expected.model_dump(exclude=apart)
    assert found.weights == {pair.file.name: fresh_sha256(pair.file)}


@pytest.mark.parametrize("name", KINDS)
def test_names_are_read_as_diffusers_reads_them(pairs: Pairs, name: str) -> None:
    pair = pairs(name)
    tensors = load_file(pair.file)
    found = load(spec_of(pair.file))

    unet = single_file_utils.convert_ldm_unet_checkpoint(dict(tensors), dict(found.unet.config))
    vae = single_file_utils.convert_ldm_vae_checkpoint(dict(tensors), dict(found.vae.config))

    for theirs, ours in ((unet, found.unet.state_dict()), (vae, found.vae.state_dict())):
        assert theirs.keys() == ours.keys()
        assert all(torch.equal(ours[key], tensor.reshape(ours[key].shape)) for key, tensor in theirs.items())


def test_bytes_are_known_before_loading(pairs: Pairs) -> None:
    checkpoint = load(spec_of(pairs("sd1").file))
    assert abs(weight_bytes(checkpoint.spec, torch.float32) - checkpoint.bytes) < 0.01 * checkpoint.bytes


def test_networks_are_in_eval_mode_without_gradients_and_of_the_asked_precision(pairs: Pairs) -> None:
    checkpoint = load(spec_of(pairs("sd1").file), torch.bfloat16)
    for network in networks_of(checkpoint).values():
        assert not network.training
        assert not any(parameter.requires_grad for parameter in network.parameters())
        assert {parameter.dtype for parameter in network.parameters()} == {torch.bfloat16}
        assert not any(buffer.is_meta for buffer in network.buffers())


def rewritten(pair: Pair, file: Path, change: Callable[[dict[str, Tensor]], dict[str, Tensor]]) -> Path:
    save_file(change(load_file(pair.file)), file)
    return file


def test_half_precision_and_the_wrapping_of_trainers_are_read(pairs: Pairs, tmp_path: Path) -> None:
    file = rewritten(
        pairs("sd1"),
        tmp_path / "half.safetensors",
        lambda tensors: {f"state_dict.{name}": tensor.half() for name, tensor in tensors.items()},
    )
    found = load(spec_of(file)).unet.state_dict()
    expected = load(spec_of(pairs("sd1").file)).unet.state_dict()
    assert all(torch.equal(tensor, expected[name].half().float()) for name, tensor in found.items())


def without(prefix: str) -> Callable[[dict[str, Tensor]], dict[str, Tensor]]:
    return lambda tensors: {name: tensor for name, tensor in tensors.items() if not name.startswith(prefix)}


def doubled(key: str) -> Callable[[dict[str, Tensor]], dict[str, Tensor]]:
    return lambda tensors: tensors | {key: torch.cat([tensors[key]] * 2)}


UNET = "model.diffusion_model."


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (without("first_stage_model."), "holds no VAE: no tensor's name begins with first_stage_model."),
        (without(UNET), "holds no U-Net"),
        (without("cond_stage_model."), "holds no text encoder"),
        (without(f"{UNET}middle_block.1.proj_in"), "mid_block.attentions.0.proj_in.weight"),
        (without(f"{UNET}output_blocks.5.0.in_layers.2"), "up_blocks.1.resnets.2.conv1"),
        (lambda tensors: tensors | {f"{UNET}extra.weight": torch.zeros(2, 2)}, f"{UNET}extra.weight"),
        (doubled(f"{UNET}middle_block.0.in_layers.2.weight"), f"{UNET}middle_block.0.in_layers.2.weight"),
        (doubled("first_stage_model.decoder.norm_out.weight"), "first_stage_model.decoder.norm_out.weight"),
    ],
)
def test_what_is_missing_or_misshapen_is_named_with_the_file(
    pairs: Pairs, tmp_path: Path, change: Callable[[dict[str, Tensor]], dict[str, Tensor]], words: str
) -> None:
    file = rewritten(pairs("sd1"), tmp_path / "torn.safetensors", change)
    with pytest.raises(ModelError) as raised:
        load(spec_of(file))
    assert raised.value.path == "torn.safetensors"
    assert words in raised.value.detail
    assert str(tmp_path) not in raised.value.detail


def test_a_file_replaced_after_the_catalog_was_read_is_refused(pairs: Pairs, tmp_path: Path) -> None:
    file = rewritten(pairs("sd1"), tmp_path / "model.safetensors", dict)
    spec = spec_of(file)
    rewritten(pairs("sd1"), file, lambda tensors: {name: tensor + 1 for name, tensor in tensors.items()})
    with pytest.raises(BrokenWeights, match="not the file"):
        load(spec)


def test_a_sidecar_says_what_shapes_cannot(pairs: Pairs, tmp_path: Path) -> None:
    file = rewritten(pairs("sd1"), tmp_path / "model.safetensors", dict)
    said = {
        "prediction_type": "v_prediction",
        "unet": {"attention_head_dim": 4},
        "scheduler": {"_class_name": "LMSDiscreteScheduler"},
    }
    file.with_suffix(".darkroom.json").write_text(json.dumps(said))

    checkpoint = load(spec_of(file))

    assert (checkpoint.spec.prediction_type, checkpoint.spec.default_scheduler) == ("v_prediction", "lms")
    assert checkpoint.unet.config.attention_head_dim == 4


def test_a_tokenizer_of_more_tokens_than_the_encoder_knows_is_refused(pairs: Pairs, tmp_path: Path) -> None:
    key = "cond_stage_model.transformer.text_model.embeddings.token_embedding.weight"
    file = rewritten(pairs("sd1"), tmp_path / "few.safetensors", lambda tensors: tensors | {key: tensors[key][:500]})
    spec = read_single_file("model", file, fresh_sha256, lambda tokens: tokenizers(1000))
    with pytest.raises(BrokenWeights, match="1000 tokens, the text encoder 500"):
        load(spec)
