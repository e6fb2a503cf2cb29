"""What callers see of a job, a model and the service. Storage keys and tenants stay inside."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from api.kinds import generation_plan
from darkroom.catalog import unavailable
from darkroom.contract.control import ControlType
from darkroom.contract.job import Artifact, Failure, Job, JobState, Progress, Receipt
from darkroom.contract.lora import LoraFormat, LoraSpec
from darkroom.contract.model import Family, ModelSpec
from darkroom.contract.plan import GenerationPlan, Notice, OutputFormat, Priority, Task
from darkroom.contract.start import PictureRef


class Resource(BaseModel):
    model_config = ConfigDict(frozen=True)


class Image(Resource):
    """One finished picture. `url` is good until the generation's `expires_at`, and signs anew on each GET."""

    url: str
    sha256: str
    bytes: int
    width: int
    height: int
    seed: int
    media_type: str
    quality: int | None = Field(description="of a JPEG or WebP, as it was encoded")
    watermark_id: str = Field(description="12 hex digits, hidden in the pixels")
    manifest_id: str = Field(description="label of the C2PA manifest inside the file")
    weak_mark: bool = Field(description="the watermark may not survive compression, resizing or cropping")


class Asset(Resource):
    """A picture kept for generations to come. It was turned into a PNG of 8 bits, upright and without metadata."""

    id: str
    sha256: str = Field(description="of that PNG")
    width: int
    height: int


class Links(Resource):
    self: str
    events: str


class ReceiptShown(Resource):
    """Beside `plan`, what is needed to make the pictures again, and what they cost."""

    versions: dict[str, str]
    device: str
    device_seconds: float


class Generation(Resource):
    """One generation: what was asked, where it stands, what came of it."""

    id: str
    state: JobState
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    expires_at: Annotated[datetime | None, Field(description="the record and the pictures are kept until then")]
    progress: Progress | None
    position: Annotated[
        int | None,
        Field(
            description="how many of your own generations with this model and priority go first, while queued; callers"
            " take turns by what they use. Not told in lists"
        ),
    ]
    plan: Annotated[
        GenerationPlan,
        Field(description="the request with everything settled; of what has succeeded, as it was made"),
    ]
    images: list[Image]
    receipt: ReceiptShown | None
    failure: Failure | None
    warnings: list[Notice]
    links: Links


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
    limits: Limits


def generation_of(job: Job, base: str, *, kept_for: int, position: int | None = None) -> Generation:
    """The resource of a job. `base` is where this service is reached, `kept_for` the seconds its record lives on."""
    here = f"{base}/api/v1/generations/{job.id}"
    plan = job.receipt.plan if job.receipt else generation_plan(job)  # the worker may have had something to add
    return Generation(
        id=job.id,
        state=job.state,
        created_at=_moment(job.created_at),
        started_at=_maybe(job.started_at),
        finished_at=_maybe(job.finished_at),
        expires_at=None if job.finished_at is None else _moment(job.finished_at + kept_for),
        progress=job.progress,
        position=position,
        plan=plan,
        images=[_image(artifact, here) for artifact in job.artifacts],
        receipt=_receipt(job.receipt) if job.receipt else None,
        failure=job.failure,
        warnings=list(plan.warnings),
        links=Links(self=here, events=f"{here}/events"),
    )


def asset_of(ref: PictureRef) -> Asset:
    return Asset(id=ref.sha256, **ref.model_dump())


def model_of(spec: ModelSpec) -> Model:
    return Model.model_validate(spec, from_attributes=True)


def lora_of(spec: LoraSpec) -> Lora:
    return Lora.model_validate(spec, from_attributes=True)


def unavailable_of(entry: unavailable.Unavailable) -> Unavailable:
    return Unavailable(name=entry.name, code=entry.error.code, reason=entry.error.detail)


def _image(artifact: Artifact, here: str) -> Image:
    return Image(url=f"{here}/images/{artifact.index}", **artifact.model_dump(exclude={"index", "key"}))


def _receipt(receipt: Receipt) -> ReceiptShown:
    return ReceiptShown(**receipt.model_dump(exclude={"plan"}))


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _maybe(seconds: float | None) -> datetime | None:
    return None if seconds is None else _moment(seconds)
