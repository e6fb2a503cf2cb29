"""What a caller may ask for. Past the planner nothing reads this any more."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from darkroom.contract.base import Asked
from darkroom.contract.plan import OutputFormat, Priority

MAX_PROMPT_CHARS = 10_000
MAX_SEED = 2**32 - 1
MAX_LORAS = 8


def _encodable(text: str) -> str:
    """Refuse lone surrogates, which no UTF-8 store can hold, and NUL, which C libraries cut at."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError("text must be valid Unicode without lone surrogates") from error
    if "\0" in text:
        raise ValueError("text must not contain NUL")
    return text


Text = Annotated[str, AfterValidator(_encodable)]
Prompt = Annotated[Text, Field(max_length=MAX_PROMPT_CHARS)]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]


class LoraAsked(Asked):
    """A LoRA by its name in the catalog, and how strongly it is laid over the model; below 0 it is taken away."""

    model: Name
    weight: float = Field(default=1.0, ge=-5, le=5)


class TextToImage(Asked):
    """A picture from words. Anything left out is settled by the planner from the model's own defaults."""

    task: Literal["text_to_image"] = "text_to_image"
    prompt: Prompt
    negative_prompt: Prompt = ""
    clip_skip: int = Field(
        default=0, ge=0, le=31, description="last layers of the text encoder to leave out; one less than A1111's"
    )
    model: Name | None = None
    width: int | None = Field(default=None, ge=8, le=8192)
    height: int | None = Field(default=None, ge=8, le=8192)
    steps: int | None = Field(default=None, ge=1, le=150)
    guidance_scale: float | None = Field(default=None, ge=0, le=100)
    scheduler: Name | None = None
    seed: int | None = Field(
        default=None, ge=0, le=MAX_SEED, description="image i is made with seed + i; random if absent"
    )
    n: int = Field(default=1, ge=1, le=16)
    loras: tuple[LoraAsked, ...] = Field(default=(), max_length=MAX_LORAS)
    output_format: OutputFormat = "png"
    output_compression: int | None = Field(default=None, ge=0, le=100, description="quality of jpeg and webp")
    deterministic: bool = False
    priority: Priority = "interactive"
    deadline: float | None = Field(
        default=None, gt=0, le=86_400, description="seconds from now; not begun by then, it expires"
    )
    metadata: dict[Annotated[Text, Field(max_length=64)], Annotated[Text, Field(max_length=512)]] = Field(
        default_factory=dict, max_length=16
    )


GenerationRequest = TextToImage
