"""The configuration of a checkpoint's own scheduler, as diffusers' pipelines understand it."""

from collections.abc import Mapping
from typing import Any

from darkroom.contract.model import ModelSpec

# `StableDiffusionPipeline.__init__` repairs these two in outdated configurations; that of Stable Diffusion XL does not.
REPAIRS = {"steps_offset": 1, "clip_sample": False}
# Where nothing is said, some schedulers clip what they take for pixels. Latents are none.
UNSAID = {"clip_sample": False}


def scheduler_config(spec: ModelSpec, config: Mapping[str, Any]) -> dict[str, Any]:
    """What any scheduler for the checkpoint is made from; `config` is that of its folder."""
    return {**UNSAID, **config} if spec.is_xl else {**config, **REPAIRS}
