"""What can be asked for or is kept, as callers see it; `darkroom.contract.document` has what they see of a job."""

from typing import Annotated

from pydantic import Field

from darkroom.contract.control import ControlType
from darkroom.contract.document import Generation, Resource
from darkroom.contract.lora import LoraFormat
from darkroom.contract.model import Family
from darkroom.contract.plan import OutputFormat, Priority, Task
from darkroom.contract.preprocessor import MapMethod


class Asset(Resource):
    """A picture kept for generations to come. It was turned into a PNG of 8 bits, upright and without metadata."""

    id: str
    sha256: str = Field(description="of that PNG")
    width: int
    height: int


class GenerationPage(Resource):
    """Newest first."""

    generations: list[Generation]
    cursor: str | None = Field(description="give it back as `cursor` for the next page; null at the end")


class Model(Resource):
    """A model that can be asked for, with the defaults a request without its own gets."""

    name: str
    title: str
    family: Family
    native_width: int
    native_height: int
    min_size: int
    max_size: int
    size_multiple: int
    default_steps: int
    default_guidance_scale: float
    default_scheduler: str
    max_prompt_tokens: Annotated[int, Field(description="tokens of one chunk; longer prompts get more chunks")]
    max_clip_skip: int
    tasks: list[Task]


class Models(Resource):
    models: list[Model]
    default: str


class Lora(Resource):
    """A LoRA that can be asked for, with any of `models`. `rank` is the largest of its layers."""

    name: str
    sha256: str
    bytes: int
    format: LoraFormat
    rank: int
    layers: int
    networks: list[str]
    models: list[str]


class Unavailable(Resource):
    """Configured, but not to be had, and why."""

    name: str
    code: str
    reason: str


class Loras(Resource):
    loras: list[Lora]
    unavailable: list[Unavailable]


class Vae(Resource):
    """A VAE that can be asked for, with any of `models`. `sha256` and `bytes` are of its weights."""

    name: str
    sha256: str
    bytes: int
    models: list[str]


class Vaes(Resource):
    vaes: list[Vae]
    unavailable: list[Unavailable]


class Controlnet(Resource):
    """A ControlNet that can be used with any of `models`, for maps of its `type`."""

    name: str
    type: ControlType
    sha256: str
    bytes: int
    models: list[str]


class Controlnets(Resource):
    controlnets: list[Controlnet]
    unavailable: list[Unavailable]


class Embedding(Resource):
    """A textual inversion. A prompt uses it by its name."""

    name: str
    sha256: str
    vectors: int = Field(description="tokens it takes the place of")
    models: list[str] = Field(description="models whose text encoders it fits")


class Embeddings(Resource):
    embeddings: list[Embedding]
    unavailable: list[Unavailable]


class Scheduler(Resource):
    name: str
    title: str


class Schedulers(Resource):
    schedulers: list[Scheduler]


class Limits(Resource):
    max_prompt_chars: int
    max_images: int
    max_loras: int
    max_controlnets: int
    max_lora_weight: float
    max_steps: int
    max_guidance_scale: float
    max_seed: int
    max_json_bytes: int
    max_upload_bytes: int
    max_picture_pixels: int
    max_wait_seconds: int


class Capabilities(Resource):
    """What this service can do, for programs that adapt to it."""

    version: str
    tasks: list[Task]
    output_formats: list[OutputFormat]
    priorities: list[Priority]
    default_model: str
    models: list[str]
    loras: list[str]
    embeddings: list[str]
    vaes: list[str]
    controlnets: list[str]
    schedulers: list[str]
    visible_labels: list[str] = Field(description="labels for people to read that a request may ask for")
    always_labelled: str = Field(description="the one of every picture that asks for no other; none if empty")
    limits: Limits


class Preprocessor(Resource):
    """What makes maps of one type. `digest` decides what they look like; without `weights` it needs none."""

    type: ControlType
    method: MapMethod
    digest: str
    weights: dict[str, str]


class AbsentPreprocessor(Resource):
    type: ControlType
    reason: str


class Preprocessors(Resource):
    preprocessors: list[Preprocessor]
    unavailable: list[AbsentPreprocessor]
