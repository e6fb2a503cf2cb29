"""What can be asked for, what a picture is, what its map is."""

from typing import Any

from pydantic import BaseModel, ConfigDict

from darkroom.client.errors import not_made
from darkroom.client.fields import PictureOrName
from darkroom.client.flows.sending import answered, document, parsed
from darkroom.client.flows.uploading import with_named_pictures
from darkroom.client.pictures import media_type_of
from darkroom.client.steps import Flow, Read, Request, Sleep
from darkroom.contract.listing import Asset
from darkroom.contract.preprocessing import Preprocessing
from darkroom.contract.verdict import Verdict

LOOK_SECONDS = 0.5


class Readiness(BaseModel):
    """Of what `/readyz` says, what is asked for here."""

    model_config = ConfigDict(frozen=True)

    ready: bool
    unserved: list[str]


def verdict(picture: PictureOrName, retries: int) -> Flow[Verdict]:
    """On a picture, or on what the gateway finds at a URL. Nothing is changed by asking twice."""
    path = "/api/v1/provenance/verify"
    if isinstance(picture, str):
        return (yield from document(Request("POST", path, json={"url": picture}), Verdict, retries))
    data: bytes = yield Read(picture)
    headers = {"Content-Type": media_type_of(data)}
    return (yield from document(Request("POST", path, content=data, headers=headers), Verdict, retries))


def control_map(fields: dict[str, Any], retries: int) -> Flow[Asset]:
    """The same picture and type have the same map, so that asking twice does no harm. Raises: NotMade."""
    asked = yield from with_named_pictures(fields, retries)
    found = yield from document(Request("POST", "/api/v1/preprocess", json=asked), Preprocessing, retries)
    while not found.state.terminal:
        yield Sleep(LOOK_SECONDS)
        found = yield from document(Request("GET", f"/api/v1/preprocess/{found.id}"), Preprocessing, retries)
    if found.map is not None:
        return found.map
    raise not_made(found.failure.message if found.failure else f"the map {found.state}", found.state, found.failure)


def readiness(retries: int) -> Flow[Readiness]:
    """Asked of a gateway that is ready; one that is not says so by GatewayAway or Refused."""
    return parsed((yield from answered(Request("GET", "/readyz"), retries)), Readiness)
