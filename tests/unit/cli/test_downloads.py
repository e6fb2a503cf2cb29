"""Which files of a repository are brought here."""

from pathlib import Path

from darkroom.catalog.hub import HubId
from darkroom.cli.downloads import chosen, configured
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


def test_of_a_model_come_its_parts_in_full_precision_and_never_code_or_pickles() -> None:
    assert chosen("models", MODEL, ID) == [
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
    assert chosen("models", names, HubId("owner", "name", file="a.safetensors")) == ["a.darkroom.json", "a.safetensors"]
    assert chosen("models", names, HubId("owner", "name", file="a.ckpt")) == []
    assert chosen("models", names, HubId("owner", "name", file="gone.safetensors")) == []


def test_of_anything_else_comes_what_lies_at_the_top() -> None:
    names = ["config.json", "diffusion_pytorch_model.safetensors", "diffusion_pytorch_model.bin", "x/y.safetensors"]
    assert chosen("vaes", names, ID) == names[:2]


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
