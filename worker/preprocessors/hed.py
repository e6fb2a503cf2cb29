"""Soft edges by a network: S. Xie and Z. Tu, Holistically-nested edge detection, 2015, as ControlNet trained it anew.

Its weights are those of `ControlNetHED_Apache2`: five blocks of convolutions as in VGG-16, each with a picture of edges
of its own. The names of the tensors are fixed by that file.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from darkroom.contract.preprocessor import PreprocessorSpec
from darkroom.errors import BrokenWeights
from darkroom.inputs.normal import Pixels
from worker.models.networks import broken
from worker.models.tensor_file import read_tensors, reading
from worker.preprocessors.method import Method, three_channels

DEPTHS = (2, 2, 3, 3, 3)  # convolutions of each block


class Block(nn.Module):
    """Convolutions at one scale, and the edges they see."""

    def __init__(self, width_in: int, width: int, depth: int) -> None:
        super().__init__()
        widths = [width_in] + [width] * depth
        self.convs = nn.Sequential(*(nn.Conv2d(widths[i], width, 3, padding=1) for i in range(depth)))
        self.projection = nn.Conv2d(width, 1, 1)

    def forward(self, features_BCHW: Tensor) -> tuple[Tensor, Tensor]:
        """The features for the next block, and B 1 H W: edges as logits."""
        for conv in self.convs:
            features_BCHW = torch.relu(conv(features_BCHW))
        return features_BCHW, self.projection(features_BCHW)


class Hed(nn.Module):
    """`widths` are the channels of the five blocks."""

    def __init__(self, widths: Sequence[int]) -> None:
        super().__init__()
        self.norm = nn.Parameter(torch.zeros(1, 3, 1, 1))
        for index, depth in enumerate(DEPTHS):
            block = Block(widths[index - 1] if index else 3, widths[index], depth)
            self.add_module(f"block{index + 1}", block)

    def forward(self, rgb_BCHW: Tensor) -> list[Tensor]:
        """Edges as logits, from fine to coarse, each half as large as the one before. `rgb_BCHW` is 0..255."""
        features, found = rgb_BCHW - self.norm, []
        for index in range(len(DEPTHS)):
            if index:
                features = nn.functional.max_pool2d(features, 2, 2)
            features, edges = self.get_submodule(f"block{index + 1}")(features)
            found.append(edges)
        return found


def load_hed(spec: PreprocessorSpec, device: torch.device) -> Method:
    """Raises: MissingWeights, BrokenWeights, naming the file."""
    ((name, sha256),) = spec.files.items()
    with reading(Path(spec.folder) / name):
        tensors = read_tensors(Path(spec.folder) / name, sha256)
    network = Hed(_widths(name, tensors))
    with broken(name):
        network.load_state_dict({key: tensor.float() for key, tensor in tensors.items()})
    network.eval().requires_grad_(False).to(device)
    smallest = 2 ** (len(DEPTHS) - 1)

    @torch.inference_mode()
    def hed(rgb_HW3: Pixels) -> Pixels:
        height, width = rgb_HW3.shape[:2]
        # Each block halves the picture, so less than 16 pixels would leave nothing for the last.
        bottom, right = max(0, smallest - height), max(0, smallest - width)
        padded = cv2.copyMakeBorder(rgb_HW3, 0, bottom, 0, right, cv2.BORDER_REPLICATE)
        found = network(torch.from_numpy(padded).permute(2, 0, 1)[None].float().to(device))
        return three_channels(_merged(found, padded.shape[:2])[:height, :width])

    return hed


def _merged(found: Sequence[Tensor], size: tuple[int, ...]) -> Pixels:
    """The mean of all logits at `size`, as a probability. Raises: ValueError for what is no number."""
    scaled = [
        cv2.resize(edges[0, 0].cpu().numpy(), (size[1], size[0]), interpolation=cv2.INTER_LINEAR) for edges in found
    ]
    logits_HW = np.mean(scaled, axis=0, dtype=np.float64)
    if not np.isfinite(logits_HW).all():
        raise ValueError("the network tells no edges")
    return np.asarray(255 / (1 + np.exp(-logits_HW.clip(-60, 60))), np.uint8)


def _widths(name: str, tensors: Mapping[str, Tensor]) -> list[int]:
    shapes = [tuple(tensors[key].shape) for i in range(5) if (key := f"block{i + 1}.projection.weight") in tensors]
    if len(shapes) != len(DEPTHS) or any(shape != (1, *shape[1:2], 1, 1) for shape in shapes):
        raise BrokenWeights(name, "holds no ControlNetHED_Apache2")
    return [shape[1] for shape in shapes]
