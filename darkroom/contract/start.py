"""Where latents begin: from noise, from a picture, or from a picture of which a part is made anew."""

from typing import Annotated, Literal

from pydantic import Field

from darkroom.contract.base import Settled

MaskedContent = Literal["fill", "original", "latent_noise", "latent_nothing"]
ResizeMode = Literal["stretch", "crop", "fill"]


class PictureRef(Settled):
    """A stored input: a PNG under a key made from its tenant and its `sha256`."""

    sha256: str
    width: int
    height: int


class Box(Settled):
    """A part of a picture, in its pixels."""

    left: int
    top: int
    width: int
    height: int


class FromNoise(Settled):
    """Nothing but the seed."""

    kind: Literal["noise"] = "noise"


class FromImage(Settled):
    """`image`, scaled to the plan's size, takes the last `steps` of the plan's steps."""

    kind: Literal["image"] = "image"
    image: PictureRef
    strength: float
    steps: int = Field(description="denoising steps that are computed")


class FromMask(Settled):
    """The white part of `mask` is made anew. The result has the size of `image`.

    Only `seen` is looked at, scaled to the plan's size. `feather` is in pixels of `image`.
    """

    kind: Literal["mask"] = "mask"
    image: PictureRef
    mask: PictureRef
    strength: float
    steps: int = Field(description="denoising steps that are computed")
    masked_content: MaskedContent
    feather: int
    seen: Box


class FromInside(Settled):
    """`image` lies at (`left`, `top`) of a picture of the plan's size; all around it is made anew.

    `feather` pixels inside of it, where it meets what is new, are a seam of both.
    """

    kind: Literal["inside"] = "inside"
    image: PictureRef
    left: int
    top: int
    strength: float
    steps: int = Field(description="denoising steps that are computed")
    masked_content: MaskedContent
    feather: int


Start = Annotated[FromNoise | FromImage | FromMask | FromInside, Field(discriminator="kind")]


def computed_steps(start: Start, steps: int) -> int:
    """How many of a plan's `steps` are computed: those before a picture's own noise level are passed over."""
    return steps if isinstance(start, FromNoise) else start.steps
