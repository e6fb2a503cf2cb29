"""The fields of a generation, for editors and type checkers; `darkroom.contract.generation` says what each means.

A test holds these names against the contract's. Whatever has no effect, or is out of range, the gateway says.
"""

from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias, TypedDict

from darkroom.client.pictures import Picture
from darkroom.contract.control import ControlType
from darkroom.contract.plan import OutputFormat, Priority, Task
from darkroom.contract.safety import Policy
from darkroom.contract.stage import Upscaler
from darkroom.contract.start import MaskedContent, ResizeMode
from darkroom.contract.webhook import WebhookEvent

PictureOrName: TypeAlias = Picture | str


class LoraFields(TypedDict, total=False):
    model: str
    weight: float


class ControlFields(TypedDict, total=False):
    type: ControlType
    image: PictureOrName
    model: str | None
    scale: float
    start: float
    end: float
    preprocess: bool


class RefinerFields(TypedDict, total=False):
    model: str
    switch_at: float


class HiresFields(TypedDict, total=False):
    scale: float
    strength: float
    steps: int
    upscaler: Upscaler


class ExpandFields(TypedDict, total=False):
    left: int
    top: int
    right: int
    bottom: int


class SafetyFields(TypedDict, total=False):
    prompt: Policy | None
    input: Policy | None
    output: Policy | None


class Fields(TypedDict, total=False):
    """Of all tasks together; which of them is meant follows from what is there."""

    task: Task
    negative_prompt: str
    clip_skip: int
    model: str | None
    steps: int | None
    guidance_scale: float | None
    scheduler: str | None
    seed: int | None
    n: int
    loras: Sequence[LoraFields]
    refiner: RefinerFields | None
    vae: str | None
    controlnets: Sequence[ControlFields]
    output_format: OutputFormat
    output_compression: int | None
    visible_label: str | bool | None
    infotext: bool
    deterministic: bool
    previews: bool
    safety: SafetyFields | None
    priority: Priority
    deadline: float | None
    metadata: Mapping[str, str]
    webhook_url: str | None
    webhook_events: Sequence[WebhookEvent]
    width: int | None
    height: int | None
    hires: HiresFields | None
    image: PictureOrName
    mask: PictureOrName
    strength: float
    masked_content: MaskedContent
    mask_blur: int
    only_masked: bool
    mask_padding: int
    mask_invert: bool
    resize_mode: ResizeMode | None
    expand: ExpandFields


RerunSeed: TypeAlias = int | Literal["random"] | None
