"""What a caller may ask for. Past the planner nothing reads this any more."""

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Discriminator, Field, Tag, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from darkroom.contract.base import Asked
from darkroom.contract.control import ControlType
from darkroom.contract.plan import TASKS, OutputFormat, Priority
from darkroom.contract.safety import SafetyAsked
from darkroom.contract.stage import Upscaler
from darkroom.contract.start import MaskedContent, ResizeMode
from darkroom.contract.webhook import ENDS, WEBHOOK_EVENTS, WebhookEvent

MAX_PROMPT_CHARS = 10_000
MAX_SEED = 2**32 - 1
MOST_IMAGES = 16
MAX_LORAS = 8
MAX_LORA_WEIGHT = 5.0
MAX_CONTROLNETS = 4
MAX_SIDE = 8192
MAX_WEBHOOK_URL = 2048
# Of a picture inside JSON: 12 MiB of bytes. Larger ones are uploaded first.
MAX_PICTURE_CHARS = 16 * 1024 * 1024


def _encodable(text: str) -> str:
    """Refuse lone surrogates, which no UTF-8 store can hold, and NUL, which C libraries cut at."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise PydanticCustomError("text", "text must be valid Unicode without lone surrogates") from error
    if "\0" in text:
        raise PydanticCustomError("text", "text must not contain NUL")
    return text


# Its length is asked for before, where pydantic still knows that it counts characters.
_ENCODABLE = AfterValidator(_encodable)
Prompt = Annotated[str, Field(max_length=MAX_PROMPT_CHARS), _ENCODABLE]
Label = Annotated[str, Field(max_length=64), _ENCODABLE]
VisibleLabel = Annotated[str, Field(min_length=1, max_length=16), _ENCODABLE]
Remark = Annotated[str, Field(max_length=512), _ENCODABLE]
NAME_PATTERN = r"^[a-z0-9][a-z0-9._-]{0,63}$"
Name = Annotated[str, Field(pattern=NAME_PATTERN)]
Side = Annotated[int | None, Field(ge=8, le=MAX_SIDE)]
PictureInput = Annotated[
    str,
    Field(
        min_length=1,
        max_length=MAX_PICTURE_CHARS,
        description="a PNG, JPEG or WebP picture: base64, a data: URL, the id that `POST /api/v1/assets` gave it, or a"
        " URL, of http or https, at which at most 12 MiB lie",
    ),
]
Strength = Annotated[
    float, Field(gt=0, le=1, description="how much of the denoising is done: int(steps * strength) steps")
]


def _once_and_sorted(events: tuple[WebhookEvent, ...]) -> tuple[WebhookEvent, ...]:
    """A set, in one order: the request's hash must not depend on another."""
    return tuple(event for event in WEBHOOK_EVENTS if event in events)


WebhookEvents = Annotated[
    tuple[WebhookEvent, ...], Field(min_length=1, max_length=32), AfterValidator(_once_and_sorted)
]


class LoraAsked(Asked):
    """A LoRA by its name in the catalog, and how strongly it is laid over the model; below 0 it is taken away."""

    model: Name
    weight: float = Field(default=1.0, ge=-MAX_LORA_WEIGHT, le=MAX_LORA_WEIGHT)


class ControlAsked(Asked):
    """A picture whose composition is to be followed, as far as a map of `type` tells it."""

    type: ControlType
    image: PictureInput
    model: Name | None = Field(default=None, description="which ControlNet, where several of the type fit")
    scale: float = Field(default=1.0, ge=0, le=2, description="how strongly it counts")
    start: float = Field(default=0.0, ge=0, lt=1, description="from this share of the steps on")
    end: float = Field(default=1.0, gt=0, le=1, description="up to this share of the steps")
    preprocess: bool = Field(default=True, description="make the map of `image`; false: it is one already")

    @field_validator("end")
    @classmethod
    def _after_start(cls, end: float, info: ValidationInfo) -> float:
        if "start" in info.data and end <= info.data["start"]:
            raise PydanticCustomError("end", "must be greater than start")
        return end


class RefinerAsked(Asked):
    """Let a refiner of Stable Diffusion XL make the last steps, once `switch_at` of the way from noise is gone."""

    model: Name
    switch_at: float = Field(
        default=0.8,
        gt=0,
        lt=1,
        description="how much of the way the base goes, by noise levels; diffusers' denoising_end and denoising_start",
    )


class Wish(Asked):
    """What every task takes. Anything left out is settled by the planner from the model's own defaults."""

    prompt: Prompt
    negative_prompt: Prompt = ""
    clip_skip: int = Field(
        default=0,
        ge=0,
        le=31,
        description="last layers of the text encoder to leave out; one less than A1111's, two less with XL",
    )
    model: Name | None = None
    steps: int | None = Field(default=None, ge=1, le=150)
    guidance_scale: float | None = Field(default=None, ge=0, le=100)
    scheduler: Name | None = None
    seed: int | None = Field(
        default=None, ge=0, le=MAX_SEED, description="image i is made with seed + i; random if absent"
    )
    n: int = Field(default=1, ge=1, le=MOST_IMAGES)
    loras: tuple[LoraAsked, ...] = Field(default=(), max_length=MAX_LORAS)
    refiner: RefinerAsked | None = None
    vae: Name | None = Field(default=None, description="encodes and decodes pictures instead of the model's own VAE")
    controlnets: tuple[ControlAsked, ...] = Field(default=(), max_length=MAX_CONTROLNETS)
    output_format: OutputFormat = "png"
    output_compression: int | None = Field(default=None, ge=0, le=100, description="quality of jpeg and webp")
    visible_label: VisibleLabel | bool | None = Field(
        default=None,
        description="draw a label that people can read: `true`, or one of the `visible_labels` of"
        " `GET /api/v1/capabilities`; `false` takes none away that the service draws on every picture",
    )
    infotext: bool = Field(
        default=False,
        description="write all parameters into each file, the prompts among them, as A1111 does: for whoever gets the"
        " file to read",
    )
    deterministic: bool = False
    previews: bool = Field(
        default=False,
        description="make sketches of each picture while it runs, at `/previews/{index}`; they change nothing else",
    )
    safety: SafetyAsked | None = None
    priority: Priority = "interactive"
    deadline: float | None = Field(
        default=None, gt=0, le=86_400, description="seconds from now; not begun by then, it expires"
    )
    metadata: dict[Label, Remark] = Field(default_factory=dict, max_length=16)
    webhook_url: str | None = Field(
        default=None, min_length=1, max_length=MAX_WEBHOOK_URL, description="http or https URL that is told of the end"
    )
    webhook_events: WebhookEvents = Field(
        default=ENDS, description="what it is told; `generation.running` and `generation.progress` only if named here"
    )


class HiresAsked(Asked):
    """Make the picture at `width` x `height` first, then enlarge it and draw over it at its final size."""

    scale: float = Field(default=2.0, gt=1, le=4, description="final size over first size")
    strength: float = Field(
        default=0.7, gt=0, le=1, description="how much of the second denoising is done: int(steps * strength) steps"
    )
    steps: int = Field(default=0, ge=0, le=150, description="of the second schedule; 0: as many as of the first")
    upscaler: Upscaler = Field(
        default="latent",
        description="`latent`: bilinear on latents, A1111's Latent; `lanczos`: on pixels, A1111's Lanczos",
    )


class TextToImage(Wish):
    """A picture from words. With `hires` its size is `width` x `height` times `hires.scale`."""

    task: Literal["text_to_image"] = "text_to_image"
    width: Side = None
    height: Side = None
    hires: HiresAsked | None = None


class Redrawn(Wish):
    """What begins with a picture of any size."""

    image: PictureInput
    width: Side = None
    height: Side = None
    resize_mode: ResizeMode | None = Field(
        default=None,
        description="bring `image` to `width` x `height` first: stretched, or cropped to the shape, or inside of it"
        " with its edges drawn out to fill the rest",
    )

    @model_validator(mode="after")
    def _to_some_size(self) -> Self:
        if self.resize_mode is not None and (self.width is None or self.height is None):
            raise PydanticCustomError("resize_mode", "resize_mode needs both width and height")
        return self


class ImageToImage(Redrawn):
    """A picture from a picture and words. Without `width` and `height` it has the size of `image`."""

    task: Literal["image_to_image"] = "image_to_image"
    strength: Strength = 0.75


class Inpaint(Redrawn):
    """The same picture, its white part under `mask` made anew; all other pixels stay as they are, to the last bit.

    `width` and `height` are the size that the part is denoised at; what comes out has the size of `image`.
    """

    task: Literal["inpaint"] = "inpaint"
    mask: Annotated[PictureInput, Field(description="white is made anew, black stays; as large as `image`")]
    mask_invert: bool = Field(default=False, description="black is made anew instead, and white stays")
    strength: Strength = 1.0
    masked_content: MaskedContent = "original"
    mask_blur: int = Field(default=4, ge=0, le=64, description="pixels inside the mask over which old turns into new")
    only_masked: bool = Field(default=False, description="look at the masked part alone, enlarged to width x height")
    mask_padding: int = Field(default=32, ge=0, le=512, description="pixels of surroundings seen with `only_masked`")


class Expand(Asked):
    """Pixels to add on each side."""

    left: int = Field(default=0, ge=0, le=4096)
    top: int = Field(default=0, ge=0, le=4096)
    right: int = Field(default=0, ge=0, le=4096)
    bottom: int = Field(default=0, ge=0, le=4096)

    @model_validator(mode="after")
    def _somewhere(self) -> "Expand":
        if not (self.left or self.top or self.right or self.bottom):
            raise PydanticCustomError("expand", "at least one side must grow")
        return self


class Outpaint(Wish):
    """A larger picture around `image`, which stays as it is but for a seam of `mask_blur` pixels."""

    task: Literal["outpaint"] = "outpaint"
    image: PictureInput
    expand: Expand
    strength: Strength = 1.0
    masked_content: MaskedContent = "fill"
    mask_blur: int = Field(default=8, ge=0, le=64, description="pixels inside `image` over which old turns into new")


def task_of(fields: Any) -> str:
    """The task a request names, or else the one that what it holds is for. An unknown one is for pydantic to refuse."""
    if isinstance(fields, Wish):
        return str(getattr(fields, "task", ""))
    if not isinstance(fields, dict):
        return "text_to_image"
    if "task" in fields:
        return str(fields["task"])
    for field, task in (("expand", "outpaint"), ("mask", "inpaint"), ("image", "image_to_image")):
        if fields.get(field) is not None:
            return task
    return "text_to_image"


GenerationRequest = Annotated[
    Annotated[TextToImage, Tag("text_to_image")]
    | Annotated[ImageToImage, Tag("image_to_image")]
    | Annotated[Inpaint, Tag("inpaint")]
    | Annotated[Outpaint, Tag("outpaint")],
    Discriminator(task_of, custom_error_type="task", custom_error_message=f"must be one of {', '.join(TASKS)}"),
]
