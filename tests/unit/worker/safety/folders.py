"""Classifiers as tiny as their configurations allow: random numbers in the real formats."""

import json
from pathlib import Path
from typing import Any

import torch
from diffusers.pipelines.stable_diffusion.safety_checker import StableDiffusionSafetyChecker
from safetensors.torch import load_file, save_file
from transformers import CLIPConfig, ViTConfig, ViTForImageClassification

SIDE = 32
_SMALL = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}


def concept_folder(folder: Path, seed: int = 0) -> Path:
    """Its concepts are pictures' own directions, so that some are near."""
    torch.manual_seed(seed)
    vision = {**_SMALL, "image_size": SIDE, "patch_size": 8}
    text = {**_SMALL, "vocab_size": 10, "bos_token_id": 1, "eos_token_id": 2}
    network = StableDiffusionSafetyChecker(CLIPConfig(vision_config=vision, text_config=text, projection_dim=8))
    with torch.no_grad():
        for name in ("concept_embeds", "special_care_embeds"):
            getattr(network, name).normal_()
            getattr(network, f"{name}_weights").uniform_(0.3, 0.9)
    network.save_pretrained(folder)
    return folder


def as_published(folder: Path) -> Path:
    """With the names that tensors have in the checkpoints of 2022."""
    file = folder / "model.safetensors"
    old = {
        name.replace("vision_model.", "vision_model.vision_model.", 1): tensor
        for name, tensor in load_file(file).items()
    }
    save_file(old, file, metadata={"format": "pt"})
    return folder


def label_folder(
    folder: Path, labels: tuple[str, ...] = ("normal", "nsfw"), *, crops: bool = False, **more: Any
) -> Path:
    torch.manual_seed(1)
    named = dict(enumerate(labels))
    config = ViTConfig(
        **_SMALL, image_size=SIDE, patch_size=8, id2label=named, label2id={v: k for k, v in named.items()}
    )
    for name, value in more.items():
        setattr(config, name, value)
    network = ViTForImageClassification(config)
    torch.nn.init.normal_(network.classifier.weight)
    network.save_pretrained(folder)
    side = {"height": SIDE, "width": SIDE}
    cut = {"do_center_crop": True, "crop_size": side, "size": {"shortest_edge": SIDE}} if crops else {"size": side}
    kind = "CLIPImageProcessor" if crops else "ViTImageProcessor"
    (folder / "preprocessor_config.json").write_text(json.dumps({"image_processor_type": kind, **cut}))
    return folder
