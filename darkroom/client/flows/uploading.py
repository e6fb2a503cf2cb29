"""Pictures are sent ahead, and named in what is asked."""

from collections.abc import Mapping
from typing import Any

from darkroom.client.flows.places import place_in
from darkroom.client.flows.sending import answered, document
from darkroom.client.pictures import Picture, is_picture, media_type_of
from darkroom.client.steps import Flow, Read, Request
from darkroom.contract.listing import Asset

ASSETS = "/api/v1/assets"


def uploaded(picture: Picture, retries: int) -> Flow[Asset]:
    """The same picture has the same id, so that sending it twice does no harm."""
    data: bytes = yield Read(picture)
    headers = {"Content-Type": media_type_of(data)}
    return (yield from document(Request("POST", ASSETS, content=data, headers=headers), Asset, retries))


def asset(asset_id: str, retries: int) -> Flow[bytes]:
    answer = yield from answered(Request("GET", place_in(ASSETS, asset_id)), retries)
    return answer.body


def with_named_pictures(fields: Mapping[str, Any], retries: int) -> Flow[dict[str, Any]]:
    """`fields` with the id of an asset in the place of each picture, ControlNets' too."""
    named = dict(fields)
    for name in ("image", "mask"):
        if is_picture(named.get(name)):
            named[name] = (yield from uploaded(named[name], retries)).id
    if "controlnets" in named:
        controls = []
        for control in named["controlnets"]:
            controls.append((yield from with_named_pictures(control, retries)))
        named["controlnets"] = controls
    return named
