"""A folder as transformers writes it -> a network in eval mode and what prepares pictures for it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import AutoImageProcessor

from darkroom.catalog.foreign import refuse_foreign
from darkroom.catalog.preprocessor_files import CONFIG, PROCESSOR, WEIGHTS
from darkroom.errors import BrokenWeights, PreprocessorFailed
from darkroom.inputs.normal import Pixels
from worker.models.networks import broken, check_complete
from worker.preprocessors.verified import Described, verified

_PROCESSORS: Any = AutoImageProcessor

# Of what a network is shown: the square of Depth Pro, the largest that one asks for by itself. What attends grows with
# the square of it, and processors that keep the aspect scale a banner up again, however small it was made before.
MOST_SEEN = 1536 * 1536


@dataclass(frozen=True)
class Reader:
    """A network that reads one picture at a time."""

    network: Any
    processor: Any
    device: torch.device

    @torch.inference_mode()
    def read(self, rgb_HW3: Pixels) -> tuple[Any, tuple[int, int]]:
        """What the network says of a picture, and the (height, width) that it saw.

        Raises: PreprocessorFailed for a picture that it would have to see larger than `MOST_SEEN`.
        """
        pixels_1CHW = shown(self.processor, rgb_HW3)
        height, width = pixels_1CHW.shape[-2:]
        if height * width > MOST_SEEN:
            raise PreprocessorFailed(
                f"the network would look at {width} x {height} pixels, more than {MOST_SEEN}: "
                "ask for a smaller detect_resolution, or cut the picture less narrow"
            )
        return self.network(pixels_1CHW.to(self.device)), (height, width)


def shown(processor: Any, rgb_HW3: Pixels) -> torch.Tensor:
    """1 C H W. Told where the colours are: else a picture of one or three pixels' height is read as planes."""
    prepared = processor(images=rgb_HW3, return_tensors="pt", input_data_format="channels_last")
    pixels_1CHW: torch.Tensor = prepared["pixel_values"]
    return pixels_1CHW


def load_reader(kind: Any, spec: Described, device: torch.device) -> Reader:
    """A network of the `Auto` class `kind`, complete or not at all, from the described files alone and without code.

    Raises: MissingWeights, BrokenWeights, naming the file.
    """
    refuse_foreign(Path(spec.folder))
    with verified(spec) as folder:
        with broken(PROCESSOR):
            processor = _PROCESSORS.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        with broken(WEIGHTS):
            network, report = kind.from_pretrained(
                folder,
                local_files_only=True,
                use_safetensors=True,
                trust_remote_code=False,
                dtype=torch.float32,
                output_loading_info=True,
            )
    check_complete(WEIGHTS, report)
    return Reader(network.eval().requires_grad_(False).to(device), processor, device)


def refuse_config(words: str) -> BrokenWeights:
    return BrokenWeights(CONFIG, words)
