"""A control map that was asked for by itself, as callers see it."""

from pydantic import Field

from darkroom.contract.control import ControlType
from darkroom.contract.document import Resource
from darkroom.contract.job import Failure, JobState
from darkroom.contract.listing import Asset


class Preprocessing(Resource):
    """A control map that was asked for, and where that stands."""

    id: str | None = Field(description="of the job that makes it; null where the map was made before")
    state: JobState
    type: ControlType
    map: Asset | None = Field(description="once it has succeeded; its id may be named as an `image`, like any asset's")
    failure: Failure | None
