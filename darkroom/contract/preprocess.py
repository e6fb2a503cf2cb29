"""A control map that is asked for by itself, to be used in any number of generations."""

from typing import Literal

from pydantic import Field

from darkroom.contract.base import Asked, Settled
from darkroom.contract.control import ControlType
from darkroom.contract.generation import PictureInput
from darkroom.contract.plan import Priority
from darkroom.contract.safety import UNGUARDED, PlannedSafety
from darkroom.contract.start import PictureRef

# What such jobs have in the place of a model: every worker serves it. No model can have this name.
PREPROCESSING = "_preprocess"
DEFAULT_RESOLUTION = 512


class PreprocessAsked(Asked):
    """A picture, and what its map is to show."""

    type: ControlType
    image: PictureInput
    detect_resolution: int = Field(
        default=DEFAULT_RESOLUTION,
        ge=64,
        le=2048,
        description="pixels that the shorter side is brought down to, to be looked at; the map has the picture's size",
    )


class PreprocessPlan(Settled):
    """`preprocessor` is the digest of what makes the map. `map_name` is one for all that must come out the same."""

    task: Literal["preprocess"] = "preprocess"
    model: str = PREPROCESSING
    type: ControlType
    preprocessor: str
    image: PictureRef
    resolution: int
    map_name: str
    priority: Priority
    deadline_at: float | None
    predicted_seconds: float
    safety: PlannedSafety = UNGUARDED
