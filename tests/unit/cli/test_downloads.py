"""Which files of a repository are brought here."""

import re
import shutil
from pathlib import Path

import pytest

from darkroom.catalog import embedded_model_folder
from darkroom.catalog.hub import HubId
from darkroom.cli.choosing import NotDownloaded, chosen
from darkroom.cli.downloaded import is_complete
from darkroom.cli.downloads import configured
from darkroom.settings import Settings

MODEL = [
    ".gitattributes",
    "README.md",
    "model_index.json",
    "v1-5-pruned.safetensors",
    "v1-5-pruned.ckpt",
    "unet/config.json",
    "unet/diffusion_pytorch_model.bin",
    "unet/diffusion_pytorch_model.fp16.safetensors",
    "unet/diffusion_pytorch_model.non_ema.safetensors",
    "unet/diffusion_pytorch_model.safetensors",
    "unet/modeling.py",
    "vae/config.json",
    "vae/diffusion_pytorch_model.fp16.safetensors",
    "text_encoder/adapter_config.json",
    "text_encoder/adapter_model.safetensors",
    "text_encoder/config.json",
    "text_encoder/model-00001-of-00002.safetensors",
    "text_encoder/model-00002-of-00002.safetensors",
    "text_encoder/model.fp16-00001-of-00002.safetensors",
    "text_encoder/model.safetensors.index.fp16.json",
    "text_encoder/model.safetensors.index.json",
    "tokenizer/merges.txt",
    "tokenizer/vocab.json",
    "scheduler/scheduler_config.json",
    "safety_checker/model.safetensors",
    "unet/deeper/model.safetensors",
]
ID = HubId("owner", "name")
PINNED = HubId("owner", "name", "0123456789abcdef0123456789abcdef01234567")


def test_of_a_model_come_its_parts_in_full_precision_and_never_code_or_pickles() -> None:
    assert chosen("models", "art", MODEL, ID) == [
        "model_index.json",
        "scheduler/scheduler_config.json",
        "text_encoder/config.json",
        "text_encoder/model-00001-of-00002.safetensors",
        "text_encoder/model-00002-of-00002.safetensors",
        "text_encoder/model.safetensors.index.json",
        "tokenizer/merges.txt",
        "tokenizer/vocab.json",
        "unet/config.json",
        "unet/diffusion_pytorch_model.safetensors",
        "vae/config.json",
        "vae/diffusion_pytorch_model.fp16.safetensors",
    ]


def test_of_a_named_file_come_it_and_what_describes_it() -> None:
    names = ["a.safetensors", "a.darkroom.json", "a.json", "a.py", "b.safetensors", "a.ckpt"]
    of_a = HubId("owner", "name", file="a.safetensors")
    assert chosen("models", "art", names, of_a) == ["a.darkroom.json", "a.safetensors"]
    for refused in ("a.ckpt", "gone.safetensors", "a.onnx"):
        with pytest.raises(NotDownloaded):
            chosen("models", "art", [*names, "a.onnx"], HubId("owner", "name", file=refused))


NETWORK = ["config.json", "diffusion_pytorch_model.safetensors", "diffusion_pytorch_model.fp16.safetensors"]


@pytest.mark.parametrize("setting", ["vaes", "controlnets"])
def test_of_a_network_come_its_configuration_and_the_weights_that_are_loaded(setting: str) -> None:
    more = ["diffusion_pytorch_model.bin", "x/y.safetensors", "adapter_config.json", "notes.json"]
    assert chosen(setting, "a", [*NETWORK, *more], ID) == NETWORK[:2]
    assert chosen(setting, "a", [NETWORK[0], NETWORK[2], *more], ID) == [NETWORK[0], NETWORK[2]]


@pytest.mark.parametrize(
    ("name", "files"),
    [
        ("openpose", ["dw-ll_ucoco_384.onnx", "yolox_l.onnx"]),
        ("depth", ["config.json", "model.safetensors", "preprocessor_config.json"]),
        ("segmentation", ["config.json", "model.safetensors", "preprocessor_config.json"]),
        ("softedge", ["hed.safetensors"]),
    ],
)
def test_of_a_preprocessor_come_the_files_of_its_kind(name: str, files: list[str]) -> None:
    assert chosen("preprocessors", name, [*files, "model.pt", "run.py", "x/a.onnx"], ID) == files


def test_networks_of_joints_may_be_named() -> None:
    of_a = HubId("owner", "name", file="a.onnx")
    assert chosen("preprocessors", "openpose", ["a.onnx", "b.onnx"], of_a) == ["a.onnx"]


@pytest.mark.parametrize(
    ("setting", "name", "files", "words"),
    [
        ("models", "a", [name for name in MODEL if not name.startswith("unet/d")], "no unet/diffusion_pytorch_model"),
        ("models", "a", [name for name in MODEL if not name.startswith("text_")], "no text_encoder/model"),
        ("vaes", "a", ["config.json", "diffusion_pytorch_model.bin"], "no diffusion_pytorch_model.safetensors"),
        ("controlnets", "a", NETWORK[1:], "no config.json"),
        ("preprocessors", "openpose", ["config.json", "a.pt"], "no .onnx file"),
        ("preprocessors", "depth", ["config.json", "preprocessor_config.json", "model.bin"], "no model.safetensors"),
        ("loras", "a", ["a.json", "a.pt"], "no .safetensors file"),
        ("loras", "a", ["a.safetensors", "b.safetensors"], "name one, as hf:owner/name@main:FILE"),
        ("embeddings", "a", ["a.safetensors", "b.safetensors"], "name one, as hf:owner/name@main:FILE"),
    ],
)
def test_a_repository_without_the_weights_is_refused_before_anything_comes(
    setting: str, name: str, files: list[str], words: str
) -> None:
    with pytest.raises(NotDownloaded, match=re.escape(words)):
        chosen(setting, name, files, ID)


@pytest.fixture
def snapshot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Of the embedded model, at a pinned commit of owner/name."""
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    place = tmp_path / "models--owner--name" / "snapshots" / PINNED.revision
    shutil.copytree(embedded_model_folder(), place)
    return place


def test_a_whole_snapshot_is_complete(snapshot: Path) -> None:
    assert is_complete("models", "art", PINNED)


@pytest.mark.parametrize(
    "lost", ["unet/diffusion_pytorch_model.safetensors", "tokenizer/tokenizer.json", "scheduler/scheduler_config.json"]
)
def test_half_a_snapshot_is_not_complete(snapshot: Path, lost: str) -> None:
    (snapshot / lost).unlink()
    (snapshot / "unet" / "other.safetensors").write_bytes(b"")
    assert not is_complete("models", "art", PINNED)


@pytest.mark.parametrize(
    ("setting", "name", "folder"),
    [("vaes", "a", "model/vae"), ("loras", "a", "loras"), ("controlnets", "a", "controlnets/canny")],
)
def test_other_kinds_are_complete_when_they_can_be_read(snapshot: Path, setting: str, name: str, folder: str) -> None:
    assert not is_complete(setting, name, PINNED)
    shutil.rmtree(snapshot)
    snapshot.symlink_to(embedded_model_folder().parent / folder)
    assert is_complete(setting, name, PINNED)


def test_only_what_is_named_by_id_is_downloaded(tmp_path: Path) -> None:
    settings = Settings(
        models={"a": Path("hf:owner/a@v1"), "b": tmp_path},
        loras={"l": Path("hf:owner/l:l.safetensors")},
        vaes={"v": Path("/vaes/v")},
        controlnets={"c": {"type": "canny", "path": "hf:owner/c"}},
    )
    assert list(configured(settings)) == [
        ("models", "a", HubId("owner", "a", "v1")),
        ("controlnets", "c", HubId("owner", "c")),
        ("loras", "l", HubId("owner", "l", "main", "l.safetensors")),
    ]
