"""ControlNets small enough to run in milliseconds, and works that they steer."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import ControlNetModel, UNet2DConditionModel
from PIL import Image

from darkroom.catalog.controlnets import Place, read_controlnet
from darkroom.catalog.weights import fresh_sha256
from darkroom.contract.controlnet import NamedControlnet, PlannedControl
from tests.unit.engine.canvases import REF, Pixels
from tests.unit.engine.checkpoints import CPU, SIDE
from worker.engine import Work
from worker.models.controlnet import Controlnet, load_controlnet


def write_controlnet(folder: Path, unet: Any, seed: int, **options: Any) -> Path:
    """A ControlNet of this U-Net in diffusers layout, all of its weights drawn from `seed`: none is left at zero."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        plain = UNet2DConditionModel.from_config({**unet.config, "in_channels": 4})
        net = ControlNetModel.from_unet(plain, conditioning_embedding_out_channels=(4, 4, 8, 8), **options)
        for parameter in net.parameters():
            if not parameter.any():
                torch.nn.init.normal_(parameter, std=0.1)
        net.save_pretrained(folder)
    return folder


def load(folder: Path) -> Controlnet:
    return load_controlnet(read_controlnet(folder.name, Place("canny", folder), (), fresh_sha256), CPU, torch.float32)


def named(net: Controlnet) -> NamedControlnet:
    return NamedControlnet(name=net.spec.name, sha256=net.spec.sha256)


def a_map(seed: int, side: int = SIDE) -> Pixels:
    """White lines on black, H W 3."""
    lines = np.zeros((side, side, 3), np.uint8)
    dice = np.random.default_rng(seed)
    lines[dice.integers(0, side, 3)] = 255
    lines[:, dice.integers(0, side, 3)] = 255
    return lines


def planned(net: Controlnet, scale: float = 1.0, start: float = 0.0, end: float = 1.0) -> PlannedControl:
    return PlannedControl(type="canny", net=named(net), image=REF, scale=scale, start=start, end=end, preprocess=False)


def steered(work: Work, *controls: PlannedControl, seed: int = 0) -> Work:
    """The work with these controls, each with a map of its own."""
    maps = tuple(a_map(seed + index, work.plan.width) for index in range(len(controls)))
    return replace(work, plan=work.plan.model_copy(update={"controls": controls}), maps=maps)


def as_images(work: Work) -> list[Image.Image]:
    return [Image.fromarray(map_HW3) for map_HW3 in work.maps]
