"""The safety checker of Stable Diffusion: how near a picture is to seventeen concepts, all of them sexual.

CompVis, 2022; what the concepts are was not published, and J. Rando et al., Red-Teaming the Stable Diffusion Safety
Filter, 2022 (arXiv 2210.04610), found them. Only its numbers are used. That it paints pictures black is not.
"""

from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import cosine_similarity
from transformers import CLIPImageProcessor

from darkroom.safety.answering import answering, picture, sound
from darkroom.safety.protocol import Pixels, Scores
from worker.preprocessors.transformers_folder import shown
from worker.safety.squares import squares

ARCHITECTURE: Final = "StableDiffusionSafetyChecker"
CATEGORY: Final = "sexual"

# From here on diffusers would paint the picture black; each hundredth of cosine more or less is a tenth of score.
BLACK_FROM: Final = 0.8
_PER_COSINE: Final = 10
_SPECIAL_CARE: Final = 0.01  # that much stricter where one of three other concepts is near
_LEAST_OVER: Final = 0.001  # diffusers rounds to three places, and then asks for more than nothing


class ConceptChecker:
    """`network` is a StableDiffusionSafetyChecker in eval mode. Threads share it."""

    def __init__(self, name: str, version: str, network: Any, device: torch.device) -> None:
        self.name = name
        self.version = version
        self._network = network
        self._device = device
        side = network.config.vision_config.image_size
        self._processor = CLIPImageProcessor(size={"shortest_edge": side}, crop_size={"height": side, "width": side})

    def scores(self, rgb_HWC: Pixels) -> Scores:
        """Of the worst square. Raises: SafetyUnavailable."""
        with answering(self.name):
            over = max(float(self.overshoot(square)) for square in squares(picture(rgb_HWC)))
            score = round(BLACK_FROM + _PER_COSINE * (over - _LEAST_OVER), 4)
            return sound({CATEGORY: min(max(score, 0.0), 1.0)})

    @torch.inference_mode()
    def overshoot(self, rgb_HWC: Pixels) -> float:
        """By how much cosine the nearest concept is nearer than it may be, as diffusers counts it.

        Raises: ValueError for a network that tells no numbers.
        """
        pixels_1CHW = shown(self._processor, rgb_HWC).to(self._device)
        network = self._network
        embedded_1D = network.visual_projection(network.vision_model(pixels_1CHW)[1])
        special = _over(embedded_1D, network.special_care_embeds, network.special_care_embeds_weights)
        over = _over(embedded_1D, network.concept_embeds, network.concept_embeds_weights)
        if not (np.isfinite(special).all() and np.isfinite(over).all()):
            raise ValueError("the network tells no numbers")
        stricter = _SPECIAL_CARE if (special.round(3) > 0).any() else 0.0
        return float((over + stricter).round(3).max())


def _over(embedded_1D: torch.Tensor, concepts_ND: torch.Tensor, least_N: torch.Tensor) -> NDArray[np.float64]:
    cosines_N = cosine_similarity(embedded_1D, concepts_ND).float().cpu().numpy().astype(np.float64)
    return np.asarray(cosines_N - least_N.cpu().numpy(), np.float64)
