"""A checkpoint of a few bytes, in the layout diffusers writes."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

SAFETENSORS = {
    "text_encoder": "text_encoder/model.safetensors",
    "unet": "unet/diffusion_pytorch_model.safetensors",
    "vae": "vae/diffusion_pytorch_model.safetensors",
}


class Checkpoint:
    """A folder to be read, and to be broken first."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.write_json(
            "model_index.json",
            {
                "_class_name": "StableDiffusionPipeline",
                "_diffusers_version": "0.42.1",
                "requires_safety_checker": False,
                "safety_checker": [None, None],
                "scheduler": ["diffusers", "EulerDiscreteScheduler"],
                "text_encoder": ["transformers", "CLIPTextModel"],
                "tokenizer": ["transformers", "CLIPTokenizer"],
                "unet": ["diffusers", "UNet2DConditionModel"],
                "vae": ["diffusers", "AutoencoderKL"],
            },
        )
        self.write_json(
            "unet/config.json",
            {"_class_name": "UNet2DConditionModel", "in_channels": 4, "sample_size": 64, "cross_attention_dim": 768},
        )
        self.write_json(
            "vae/config.json",
            {"_class_name": "AutoencoderKL", "latent_channels": 4, "block_out_channels": [128, 256, 512, 512]},
        )
        self.write_json("scheduler/scheduler_config.json", {"_class_name": "EulerDiscreteScheduler"})
        self.write_json("text_encoder/config.json", {"num_hidden_layers": 12, "hidden_size": 768})
        self.write_json("tokenizer/tokenizer_config.json", {"model_max_length": 77})
        for name in SAFETENSORS.values():
            self.write(name, safetensors({"weight": tensor([2, 3], 0)}, b"\0" * 24))

    def write(self, name: str, data: bytes) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    def write_json(self, name: str, fields: object) -> None:
        self.write(name, json.dumps(fields).encode())

    def change(self, name: str, **fields: Any) -> None:
        """Lay fields over those of a JSON file; None takes one out."""
        merged = {**json.loads((self.folder / name).read_bytes()), **fields}
        self.write_json(name, {key: value for key, value in merged.items() if value is not None})

    def make_xl(self, *, refiner: bool = False) -> None:
        """Stable Diffusion XL: a second text encoder, pooled text and sizes."""
        self.change(
            "model_index.json",
            _class_name="StableDiffusionXLImg2ImgPipeline" if refiner else "StableDiffusionXLPipeline",
            text_encoder=[None, None] if refiner else ["transformers", "CLIPTextModel"],
            text_encoder_2=["transformers", "CLIPTextModelWithProjection"],
        )
        self.change(
            "unet/config.json",
            cross_attention_dim=1280 if refiner else 2048,
            sample_size=128,
            addition_embed_type="text_time",
            addition_time_embed_dim=256,
            projection_class_embeddings_input_dim=2560 if refiner else 2816,
        )
        self.write(
            "text_encoder_2/model.safetensors", (self.folder / "text_encoder" / "model.safetensors").read_bytes()
        )
        self.write_json(
            "text_encoder_2/config.json", {"num_hidden_layers": 32, "hidden_size": 1280, "projection_dim": 1280}
        )
        self.write_json("tokenizer_2/tokenizer_config.json", {"model_max_length": 77})

    def remove(self, name: str) -> None:
        (self.folder / name).unlink()


def tensor(shape: list[int], begin: int, dtype: str = "F32", item_bytes: int = 4) -> dict[str, Any]:
    size = item_bytes
    for side in shape:
        size *= side
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, begin + size]}


def safetensors(header: Mapping[str, Any], data: bytes) -> bytes:
    """A file of the safetensors format, as right or wrong as its header."""
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


@pytest.fixture
def checkpoint(tmp_path: Path) -> Checkpoint:
    return Checkpoint(tmp_path / "checkpoint")
