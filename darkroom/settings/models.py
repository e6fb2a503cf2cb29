"""Settings of what can be served, and on what."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic_settings import BaseSettings


class ControlnetPlace(BaseModel):
    """The maps a ControlNet was trained on, and its folder in diffusers' layout, or a hub id."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: str
    path: Path


class Models(BaseSettings):
    """Weights, device and kernels."""

    models: dict[str, Path] = Field(
        default_factory=dict,
        description="name -> folder, .safetensors file or hub id (hf:owner/name@revision) of a checkpoint; `tiny` is"
        " always there",
    )
    tokenizer: Path | None = Field(
        default=None,
        description="folder of CLIP's tokenizer for checkpoints in one file, which bring none; another checkpoint's if"
        " unset",
    )
    loras: dict[str, Path] = Field(
        default_factory=dict,
        description="name -> .safetensors file or hub id of a LoRA; those of `tiny` are always there",
    )
    vaes: dict[str, Path] = Field(
        default_factory=dict,
        description="name -> folder, .safetensors file or hub id of a VAE, for requests that name it",
    )
    controlnets: dict[str, ControlnetPlace] = Field(
        default_factory=dict,
        description='name -> `{"type": "canny", "path": FOLDER}` of a ControlNet, or a hub id as path; that of `tiny`'
        " is always there",
    )
    embeddings: dict[str, Path] = Field(
        default_factory=dict,
        description="name -> .safetensors file or hub id of a textual inversion; prompts use it by its name",
    )
    lora_cache_bytes: int = Field(
        default=1 << 30, ge=0, description="memory for LoRAs that nobody uses just now; the latest used stay"
    )
    preprocessors: dict[str, Path] = Field(
        default_factory=dict,
        description="type of control map -> folder, file or hub id of the weights that make it: depth, openpose,"
        " segmentation, softedge",
    )
    default_model: str = Field(default="tiny", description="model of a request that names none")
    device: str = Field(default="auto", description="auto, cpu, cuda or cuda:N")
    dtype: Literal["auto", "float32", "float16", "bfloat16"] = Field(
        default="auto", description="dtype of the networks"
    )
    attention: Literal["auto", "flash", "cudnn", "efficient", "math"] = Field(
        default="auto", description="attention kernel of the U-Net; where it refuses a shape, one that takes any"
    )
    compile: Literal["off", "regional"] = Field(
        default="off",
        description="compile the U-Net's transformer blocks; the first pass of every size then takes up to a minute",
    )
    threads: int = Field(default=0, ge=0, description="torch threads of a CPU worker; 0 lets torch choose")
    standby: bool = Field(
        default=True,
        description="keep a second interpreter with torch loaded (400 MB) to replace a crashed worker at once",
    )
    max_rows: int = Field(
        default=16, ge=2, description="most rows in one forward pass; lanes find out how many of them pay"
    )
