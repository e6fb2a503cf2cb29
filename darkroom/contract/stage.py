"""What is done to a picture after its first denoising, before it is decoded."""

from typing import Annotated, Literal

from pydantic import Field

from darkroom.contract.base import Settled

Upscaler = Literal["latent", "lanczos"]


class Hires(Settled):
    """What the stage before made, enlarged to `width` x `height`, is drawn over: image to image, by the same model."""

    kind: Literal["hires"] = "hires"
    width: int
    height: int
    upscaler: Upscaler
    strength: float
    steps: int = Field(description="of its schedule")
    computed_steps: int = Field(description="denoising steps that are computed: the last of its schedule")


class Refiner(Settled):
    """The last of the stage before's steps, from `switch_at` of its noise levels on, are made by `model` instead."""

    kind: Literal["refiner"] = "refiner"
    model: str
    weights: dict[str, str] = Field(description="sha256 of each weight file, by its path in the model")
    switch_at: float


LaterStage = Annotated[Hires | Refiner, Field(discriminator="kind")]
