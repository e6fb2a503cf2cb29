"""How near things are, by a network: what is nearest is white."""

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate
from transformers import AutoModelForDepthEstimation

from darkroom.contract.preprocessor import PreprocessorSpec
from darkroom.inputs.normal import Pixels
from worker.preprocessors.method import Method, three_channels
from worker.preprocessors.transformers_folder import load_reader

# These tell metres, which grow with distance; all others tell nearness, as MiDaS and DPT do.
TELL_METRES = ("depth_pro", "glpn", "zoedepth")
LEAST_METRES = 0.1


def load_depth(spec: PreprocessorSpec, device: torch.device) -> Method:
    """Any network of `AutoModelForDepthEstimation`. Raises: BrokenWeights, naming the file."""
    reader = load_reader(AutoModelForDepthEstimation, spec, device)
    config = reader.network.config
    metres = config.model_type in TELL_METRES or getattr(config, "depth_estimation_type", "") == "metric"

    def depth(rgb_HW3: Pixels) -> Pixels:
        told_1HW = reader.read(rgb_HW3)[0].predicted_depth
        near_1HW = 1 / told_1HW.clamp(min=LEAST_METRES) if metres else told_1HW
        return three_channels(_stretched(near_1HW, rgb_HW3.shape[:2]))

    return depth


def _stretched(near_1HW: Tensor, size: tuple[int, ...]) -> Pixels:
    """At `size`, from black for the farthest to white for the nearest. Raises: ValueError for what is no number."""
    near_HW = interpolate(near_1HW[:, None], size, mode="bilinear", align_corners=False)[0, 0].cpu().numpy()
    if not np.isfinite(near_HW).all():
        raise ValueError("the network tells no depths")
    farthest, nearest = float(near_HW.min()), float(near_HW.max())
    return np.asarray(np.rint(255 * (near_HW - farthest) / max(nearest - farthest, 1e-6)), np.uint8)
