"""Checkpoints from folders: complete, unchanged, without a network and without running what they bring along."""

import json
import pickle
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import CLIPTextModel

from darkroom.catalog.checkpoint import read_checkpoint
from darkroom.contract.model import ModelSpec
from darkroom.errors import BrokenWeights, MissingWeights, ModelError
from tests.unit.engine.checkpoints import CPU, copy_checkpoint
from tests.unit.engine.works import develop, make_work
from worker.models.checkpoint import Checkpoint
from worker.models.loader import load_checkpoint, load_folder
from worker.models.networks import broken, load_network
from worker.models.open import weight_bytes

UNET = "unet/diffusion_pytorch_model.safetensors"
TEXT = "text_encoder/model.safetensors"
VAE = "vae/diffusion_pytorch_model.safetensors"


@pytest.fixture
def folder(epsilon_folder: Path, tmp_path: Path) -> Path:
    return copy_checkpoint(epsilon_folder, tmp_path / "copy")


def load(folder: Path, spec: ModelSpec | None = None) -> Checkpoint:
    if spec is not None:
        return load_checkpoint(spec, CPU, torch.float32)
    return load_folder("model", folder, CPU, torch.float32)


def refusal(folder: Path) -> ModelError:
    with pytest.raises(ModelError) as raised:
        load(folder)
    return raised.value


def spec_of(folder: Path) -> ModelSpec:
    return read_checkpoint("model", folder, lambda path: "0" * 64)


def test_networks_are_in_eval_mode_without_gradients_and_of_the_asked_precision(folder: Path) -> None:
    checkpoint = load_folder("model", folder, CPU, torch.bfloat16)

    for network in (checkpoint.unet, checkpoint.vae):
        assert not network.training
        assert not any(parameter.requires_grad for parameter in network.parameters())
        assert {parameter.dtype for parameter in network.parameters()} == {torch.bfloat16}


def test_bytes_are_known_before_loading(folder: Path) -> None:
    checkpoint = load(folder)

    assert abs(weight_bytes(checkpoint.spec, torch.float32) - checkpoint.bytes) < 0.01 * checkpoint.bytes


def test_loading_and_generating_need_no_network(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object) -> None:
        raise AssertionError("a connection was tried")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)

    assert list(develop(load(folder), [make_work(steps=1)]).images) == ["job"]


@pytest.mark.parametrize("file", [UNET, TEXT, VAE, "unet/config.json", "tokenizer/tokenizer_config.json"])
def test_a_missing_file_is_named(folder: Path, file: str) -> None:
    (folder / file).unlink()

    error = refusal(folder)

    assert isinstance(error, MissingWeights)
    assert error.path == file


@pytest.mark.parametrize("file", [UNET, TEXT, VAE])
def test_a_truncated_file_is_named(folder: Path, file: str) -> None:
    data = (folder / file).read_bytes()
    (folder / file).write_bytes(data[:-100])

    error = refusal(folder)

    assert isinstance(error, BrokenWeights)
    assert error.path == file


@pytest.mark.parametrize("file", [UNET, TEXT, VAE])
def test_a_missing_tensor_is_an_error_and_not_random_numbers(folder: Path, file: str) -> None:
    tensors = load_file(folder / file)
    missing = sorted(tensors)[len(tensors) // 2]
    del tensors[missing]
    save_file(tensors, folder / file, metadata={"format": "pt"})

    error = refusal(folder)

    assert isinstance(error, BrokenWeights)
    assert error.path == file
    assert missing in error.detail


@pytest.mark.parametrize("file", [UNET, TEXT, VAE])
def test_a_tensor_of_another_shape_is_an_error(folder: Path, file: str) -> None:
    tensors = load_file(folder / file)
    name = next(name for name in sorted(tensors) if tensors[name].dim() == 2 or tensors[name].dim() == 4)
    tensors[name] = torch.cat([tensors[name], tensors[name]])
    save_file(tensors, folder / file, metadata={"format": "pt"})

    error = refusal(folder)

    assert isinstance(error, BrokenWeights)
    assert error.path == file


def test_a_file_replaced_after_the_catalog_was_read_is_refused(folder: Path) -> None:
    spec = load(folder).spec
    tensors = {name: tensor + 1 for name, tensor in load_file(folder / UNET).items()}
    save_file(tensors, folder / UNET, metadata={"format": "pt"})

    with pytest.raises(BrokenWeights) as raised:
        load(folder, spec)

    assert raised.value.path == UNET


def test_a_pickle_in_the_place_of_weights_is_never_opened(folder: Path, tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[Path]]:
            return Path.touch, (tmp_path / "sprung",)

    (folder / UNET).unlink()
    (folder / "unet" / "diffusion_pytorch_model.bin").write_bytes(pickle.dumps(Trap()))

    assert isinstance(refusal(folder), MissingWeights)
    assert not (tmp_path / "sprung").exists()


def test_code_a_tokenizer_brings_along_is_not_run(folder: Path, tmp_path: Path) -> None:
    path = folder / "tokenizer" / "tokenizer_config.json"
    config = json.loads(path.read_bytes())
    path.write_text(json.dumps({**config, "auto_map": {"AutoTokenizer": ["trap.Tokenizer", None]}}))
    (folder / "tokenizer" / "trap.py").write_text(f"open({str(tmp_path / 'sprung')!r}, 'w')")

    load(folder)

    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize(
    "fields",
    [{"dtype": "nope"}, {"num_attention_heads": 0}, {"hidden_size": "wide"}, {"num_hidden_layers": None}],
)
def test_whatever_a_library_raises_about_a_configuration_is_of_the_file(folder: Path, fields: dict[str, Any]) -> None:
    path = folder / "text_encoder" / "config.json"
    path.write_text(json.dumps(json.loads(path.read_bytes()) | fields))
    with pytest.raises(BrokenWeights, match=r"text_encoder/model\.safetensors: does not fit its configuration"):
        load_network(CLIPTextModel, folder, TEXT, torch.float32)


@pytest.mark.parametrize("error", [ImportError, AttributeError, EOFError, ZeroDivisionError, AssertionError])
def test_errors_of_any_kind_are_of_the_file_and_untold(error: type[Exception]) -> None:
    with (
        pytest.raises(BrokenWeights, match=f"^file: does not fit its configuration .{error.__name__}.$"),
        broken("file"),
    ):
        raise error("in /home")


@pytest.mark.parametrize("error", [MemoryError(), torch.OutOfMemoryError(), MissingWeights("other", "no such file")])
def test_memory_that_is_lacking_is_no_files_fault(error: Exception) -> None:
    with pytest.raises(type(error)), broken("file"):
        raise error


def test_the_kernel_of_attention_is_not_the_libraries_to_choose(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    class Asked(CLIPTextModel):
        @classmethod
        def from_pretrained(cls, *_: object, **options: Any) -> Any:
            asked.append(options.get("attn_implementation"))
            raise ValueError

    with pytest.raises(BrokenWeights):
        load_network(Asked, folder, TEXT, torch.float32)
    assert asked == ["sdpa"]


def test_an_adapter_that_appears_after_the_catalog_was_read_is_refused(folder: Path) -> None:
    spec = spec_of(folder)
    (folder / "text_encoder" / "adapter_config.json").write_text("{}")
    with pytest.raises(BrokenWeights, match="would lay other weights"):
        load(folder, spec)


def test_a_tokenizer_that_is_not_json_is_named(folder: Path) -> None:
    (folder / "tokenizer" / "tokenizer.json").write_text("{")

    error = refusal(folder)

    assert isinstance(error, BrokenWeights)
    assert error.path == "tokenizer/tokenizer.json"


def test_a_tokenizer_in_its_older_files_is_the_same(folder: Path) -> None:
    """Those of the original checkpoints: a vocabulary, and a list of merges."""
    tokenizer = folder / "tokenizer"
    expected = load(folder).text.encode("a red circle").context_1TC
    model = json.loads((tokenizer / "tokenizer.json").read_bytes())["model"]
    (tokenizer / "vocab.json").write_text(json.dumps(model["vocab"]))
    merges = [merge if isinstance(merge, str) else " ".join(merge) for merge in model["merges"]]
    (tokenizer / "merges.txt").write_text("\n".join(["#version: 0.2", *merges, ""]))
    (tokenizer / "tokenizer.json").unlink()

    assert torch.equal(load(folder).text.encode("a red circle").context_1TC, expected)


def test_a_network_with_embedded_guidance_is_refused(folder: Path) -> None:
    path = folder / "unet" / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_bytes()), "time_cond_proj_dim": 64}))

    assert refusal(folder).path == "unet/config.json"


@pytest.mark.slow
def test_the_worker_is_offline_and_runs_no_code_of_others_from_its_first_import() -> None:
    imports = (
        "import worker.engine, worker.models.open, huggingface_hub.constants as hub, diffusers.utils.constants as own"
    )
    script = f"{imports}; print(hub.HF_HUB_OFFLINE, own.DIFFUSERS_DISABLE_REMOTE_CODE)"

    printed = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout

    assert printed.split() == ["True", "True"]


def test_no_error_tells_where_the_checkpoint_lies(folder: Path) -> None:
    (folder / "tokenizer" / "tokenizer.json").write_text("{")

    assert str(folder) not in str(refusal(folder))


def test_half_precision_files_of_a_variant_are_loaded(folder: Path) -> None:
    for file in (UNET, TEXT, VAE):
        halves = {
            name: tensor.half() for name, tensor in load_file(folder / file).items() if tensor.is_floating_point()
        }
        save_file(halves, folder / file.replace(".safetensors", ".fp16.safetensors"), metadata={"format": "pt"})
        (folder / file).unlink()

    checkpoint = load(folder)

    assert set(checkpoint.spec.weights) == {file.replace(".saf", ".fp16.saf") for file in (UNET, TEXT, VAE)}
    assert np.ptp(develop(checkpoint, [make_work(steps=1)]).images["job"][0]) > 0
