"""Preprocessors with weights, as tiny as their configurations allow: random numbers in the real formats."""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from transformers import (
    DepthAnythingConfig,
    DepthAnythingForDepthEstimation,
    Dinov2Config,
    SegformerConfig,
    SegformerForSemanticSegmentation,
)

from darkroom.catalog.digests import DigestCache
from darkroom.catalog.preprocessors import read_preprocessors
from darkroom.contract.control import ControlType
from darkroom.contract.preprocessor import PreprocessorSpec
from worker.preprocessors.hed import Hed


def described(kind: ControlType, path: Path) -> PreprocessorSpec:
    return read_preprocessors({kind: path}, DigestCache().sha256).spec(kind, "type")


def depth_folder(folder: Path, **config: Any) -> Path:
    torch.manual_seed(0)
    backbone = Dinov2Config(
        hidden_size=8, num_hidden_layers=4, num_attention_heads=2, image_size=28, patch_size=14, mlp_ratio=1,
        out_indices=[1, 2, 3, 4], reshape_hidden_states=False, apply_layernorm=True,
    )  # fmt: skip
    network = DepthAnythingForDepthEstimation(
        DepthAnythingConfig(
            backbone_config=backbone, reassemble_hidden_size=8, patch_size=14, neck_hidden_sizes=[8, 8, 8, 8],
            fusion_hidden_size=8, head_hidden_size=4, **config,
        )
    )  # fmt: skip
    for layer in (network.head.conv1, network.head.conv2, network.head.conv3):
        torch.nn.init.normal_(layer.weight)  # at the usual 0.02 nothing would be left to tell near from far
    torch.nn.init.constant_(network.head.conv3.bias, 2.0)
    return _saved(network, folder, "DPTImageProcessor", 28)


def segmentation_folder(folder: Path, classes: int = 150) -> Path:
    torch.manual_seed(1)
    config = SegformerConfig(
        num_encoder_blocks=2, depths=[1, 1], sr_ratios=[2, 1], hidden_sizes=[8, 8], patch_sizes=[3, 3], strides=[2, 2],
        num_attention_heads=[1, 1], mlp_ratios=[1, 1], decoder_hidden_size=8, num_labels=classes,
    )  # fmt: skip
    network = SegformerForSemanticSegmentation(config)
    torch.nn.init.normal_(network.decode_head.classifier.weight)
    return _saved(network, folder, "SegformerImageProcessor", 32)


def hed_file(folder: Path, **changed: torch.Tensor) -> Path:
    torch.manual_seed(2)
    path = folder / "hed.safetensors"
    save_file({**Hed((2, 3, 4, 4, 4)).state_dict(), **changed}, path)
    return path


def _saved(network: Any, folder: Path, processor: str, side: int) -> Path:
    network.save_pretrained(folder)
    described = {
        "image_processor_type": processor,
        "do_resize": True,
        "size": {"height": side, "width": side},
        "do_normalize": True,
        "image_mean": [0.5, 0.5, 0.5],
        "image_std": [0.5, 0.5, 0.5],
    }
    (folder / "preprocessor_config.json").write_text(json.dumps(described))
    return folder
