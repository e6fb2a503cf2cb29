"""ControlNets: what a picture's composition can be told by, and a network that was made for one kind of map."""

from pydantic import Field

from darkroom.contract.base import Settled
from darkroom.contract.control import ControlType
from darkroom.contract.start import PictureRef


class ControlnetSpec(Settled):
    """`sha256` and `bytes` are of the file `weights`, which lies in the folder `path`.

    `models` are the names of those it fits; `misfits` says of the others why not.
    """

    name: str
    type: ControlType
    path: str
    weights: str
    sha256: str
    bytes: int
    models: tuple[str, ...]
    misfits: dict[str, str]


class NamedControlnet(Settled):
    """A ControlNet by the content of its weights; `name` is what the catalog calls it."""

    name: str
    sha256: str


class PlannedControl(Settled):
    """`image`, brought to the plan's size and turned into a map unless it is one, steers the passes from `start` to
    `end`, both as shares of all passes. What the ControlNet finds counts `scale` times.
    """

    type: ControlType
    net: NamedControlnet
    image: PictureRef
    scale: float
    start: float
    end: float
    preprocess: bool = Field(description="the image is a picture; false: it is a map already")
    preprocessor: str = Field(default="", description="digest of what makes the map of a picture")

    def counts(self, index: int, passes: int) -> bool:
        """Whether it steers pass `index` of `passes`: `controlnet_keep` of diffusers' pipelines."""
        return not (index / passes < self.start or (index + 1) / passes > self.end)
