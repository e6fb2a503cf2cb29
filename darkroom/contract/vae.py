"""A VAE that can be asked for in the place of a model's own, known from its configuration and header."""

from typing import Annotated, Literal

from pydantic import Field

from darkroom.contract.base import Settled

VaeLayout = Literal["diffusers", "single_file"]


class LatentSpace(Settled):
    """What a network and a VAE must agree on.

    `channels` of a latent; `pixels` that it stands for, on each side; and what the VAE's latents are multiplied with
    for the network: `scaling`.
    """

    channels: int
    pixels: int
    scaling: float


class VaeSpec(Settled):
    """`sha256` and `bytes` are of the file `weights`, which lies in the folder `path`.

    `scaling` is 0 for a file that does not say: it takes that of the model it is used with. `models` are the names of
    those it fits; `misfits` says of the others why not.
    """

    name: str
    path: str
    layout: VaeLayout
    weights: str
    sha256: str
    bytes: int
    channels: int
    pixels: int
    scaling: float
    models: tuple[str, ...]
    misfits: dict[str, str]


class OwnVae(Settled):
    """The model's."""

    kind: Literal["own"] = "own"


class NamedVae(Settled):
    """Another one, by the content of its weights; `name` is what it was asked for by."""

    kind: Literal["named"] = "named"
    name: str
    sha256: str


PlannedVae = Annotated[OwnVae | NamedVae, Field(discriminator="kind")]
