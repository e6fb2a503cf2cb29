"""The few fields of a diffusers folder's JSON files that tell what a checkpoint is."""

import json
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from darkroom.errors import BrokenWeights, MissingWeights

MAX_CONFIG_BYTES = 4 * 1024 * 1024
# Stable Diffusion has four; every one doubles the pixels a latent, on each side.
MAX_BLOCKS = 8


_Side = Annotated[int, Field(ge=1, le=4096)]


class Config(BaseModel):
    """Reads what it knows, ignores the rest."""

    model_config = ConfigDict(extra="ignore", frozen=True, populate_by_name=True)


class UnetConfig(Config):
    """`sample_size` is in latents, one side or (height, width). From `addition_embed_type` on: what it is told besides
    latents, time and words, where it is told more.
    """

    class_name: Literal["UNet2DConditionModel"] = Field(alias="_class_name")
    in_channels: int = Field(ge=1)
    sample_size: _Side | tuple[_Side, _Side]
    cross_attention_dim: int = Field(ge=1)
    addition_embed_type: str | None = None
    addition_time_embed_dim: int | None = None
    projection_class_embeddings_input_dim: int | None = None
    time_cond_proj_dim: int | None = None
    class_embed_type: str | None = None
    num_class_embeds: int | None = None
    encoder_hid_dim_type: str | None = None


class ControlnetConfig(Config):
    """`conditioning_embedding_out_channels`: every width but the last halves the map once."""

    class_name: Literal["ControlNetModel"] = Field(alias="_class_name")
    conditioning_channels: Literal[3] = 3
    conditioning_embedding_out_channels: tuple[int, ...] = Field(
        default=(16, 32, 96, 256), min_length=1, max_length=MAX_BLOCKS
    )
    controlnet_conditioning_channel_order: Literal["rgb"] = "rgb"
    # Those look at the whole map as one: diffusers runs them in a mode of their own.
    global_pool_conditions: Literal[False] = False
    class_embed_type: None = None
    num_class_embeds: None = None
    encoder_hid_dim_type: None = None

    @property
    def scale_factor(self) -> int:
        """Pixels of the map a latent, on each side."""
        return 1 << (len(self.conditioning_embedding_out_channels) - 1)


class VaeConfig(Config):
    class_name: Literal["AutoencoderKL"] = Field(alias="_class_name")
    latent_channels: int = Field(ge=1, le=1024)
    block_out_channels: tuple[int, ...] = Field(min_length=1, max_length=MAX_BLOCKS)
    scaling_factor: float = Field(default=0.18215, gt=0, allow_inf_nan=False)
    # Latents that are also shifted, or normalised channel by channel, are of other families.
    shift_factor: None = None
    latents_mean: None = None
    latents_std: None = None

    @property
    def scale_factor(self) -> int:
        """Pixels a latent, on each side: every block but the last halves the picture."""
        return 1 << (len(self.block_out_channels) - 1)


class SchedulerConfig(Config):
    class_name: str = Field(alias="_class_name")
    prediction_type: Literal["epsilon", "v_prediction"] = "epsilon"


class TextEncoderConfig(Config):
    """`hidden_size` is the width of what it makes of a token, `projection_dim` of a whole text where it does that."""

    num_hidden_layers: int = Field(ge=1, le=256)
    hidden_size: int = Field(ge=1)
    projection_dim: int = Field(default=512, ge=1)


class TokenizerConfig(Config):
    model_max_length: int = Field(ge=3, le=4096)


class PipelineIndex(Config):
    """`force_zeros_for_empty_prompt` is of Stable Diffusion XL, which does so where nothing else is said."""

    class_name: Literal[
        "StableDiffusionPipeline",
        "StableDiffusionInpaintPipeline",
        "StableDiffusionXLPipeline",
        "StableDiffusionXLInpaintPipeline",
        "StableDiffusionXLImg2ImgPipeline",
    ] = Field(alias="_class_name")
    force_zeros_for_empty_prompt: bool | None = None


C = TypeVar("C", bound=Config)


def read_config(folder: Path, name: str, kind: type[C]) -> C:
    """The file `name` of a checkpoint as a `kind`. Raises: MissingWeights, BrokenWeights, both naming the file."""
    try:
        return kind.model_validate(read_json(folder, name))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise BrokenWeights(name, f"{where}: {first['msg'].lower()}") from error


def read_json(folder: Path, name: str) -> dict[str, Any]:
    """The JSON object in the file `name`. Raises: MissingWeights, BrokenWeights."""
    path = folder / name
    if not path.is_file():
        raise MissingWeights(name, "no such file")
    try:
        if path.stat().st_size > MAX_CONFIG_BYTES:
            raise BrokenWeights(name, f"larger than {MAX_CONFIG_BYTES} bytes")
        fields = json.loads(path.read_bytes())
    except OSError as error:
        raise BrokenWeights(name, f"cannot be read ({type(error).__name__})") from error
    except (ValueError, RecursionError) as error:
        raise BrokenWeights(name, "is not JSON") from error
    if not isinstance(fields, dict):
        raise BrokenWeights(name, "is not a JSON object")
    return fields
