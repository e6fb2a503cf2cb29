"""The pictures of a request, read and judged before anything is planned."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import IO, TypeVar

from darkroom.contract.generation import GenerationRequest, Inpaint, Redrawn, TextToImage
from darkroom.contract.inputs import Inputs, MaskedPicture, NoPicture, OnePicture
from darkroom.contract.start import Box, PictureRef
from darkroom.errors import BadPicture, InvalidField, NotStored
from darkroom.inputs.mask import binary, bounds
from darkroom.inputs.naming import named_picture
from darkroom.inputs.normal import MAX_PIXELS, Kept, Normal, normalise, stored
from darkroom.inputs.reshaping import inverted, resized
from darkroom.inputs.shelf import fetch, fetch_original
from darkroom.storage.protocol import ObjectStore

T = TypeVar("T")


@dataclass(frozen=True)
class Read:
    """`sent` came with the request or from a URL, and are to be kept once it is known to be sound; assets are kept
    already."""

    inputs: Inputs
    sent: tuple[Kept, ...] = ()


@dataclass(frozen=True)
class Found:
    """A picture of a request. `sent`: it came with the request or by its URL, and was not named by its id."""

    picture: Normal
    sent: bool


@dataclass(frozen=True)
class Sources:
    """Where the pictures of a tenant's request come from, besides the request: what the tenant sent before, and what
    was fetched for it, by URL."""

    store: ObjectStore
    tenant: str
    fetched: Mapping[str, IO[bytes]] = field(default_factory=dict)


def pictures_of(request: GenerationRequest) -> dict[str, str]:
    """What holds or names each picture of a request, by the field it stands in."""
    start = {name: getattr(request, name) for name in ("image", "mask") if hasattr(request, name)}
    return start | {f"controlnets.{index}.image": each.image for index, each in enumerate(request.controlnets)}


async def read_inputs(sources: Sources, request: GenerationRequest) -> Read:
    """Read every picture that `request` holds or names; decoding runs on a thread.

    Raises: InvalidField naming the field; StoreUnavailable.
    """
    read = await _read_start(sources, request)
    refs: list[PictureRef] = []
    sent = list(read.sent)
    for index, control in enumerate(request.controlnets):  # one after the other: decoded, they are large
        found = await read_picture(sources, f"controlnets.{index}.image", control.image)
        refs.append(found.picture.ref)
        sent += _sent(found)
    return Read(read.inputs.model_copy(update={"controls": tuple(refs)}), tuple(sent))


async def _read_start(sources: Sources, request: GenerationRequest) -> Read:
    """The pictures that the latents begin with."""
    if isinstance(request, TextToImage):
        return Read(NoPicture())
    image = await read_picture(sources, "image", request.image)
    if isinstance(request, Redrawn):
        image = await _resized(sources, image, request)
    if not isinstance(request, Inpaint):
        return Read(OnePicture(image=image.picture.ref), _sent(image))
    mask = await _resized(sources, await read_picture(sources, "mask", request.mask), request)
    if request.mask_invert:
        mask = await _made_over(sources, mask, inverted)
    ref, mask_ref = image.picture.ref, mask.picture.ref
    masked = await asyncio.to_thread(_masked, ref, mask.picture)
    return Read(MaskedPicture(image=ref, mask=mask_ref, masked=masked), _sent(image, mask))


async def _resized(sources: Sources, found: Found, request: Redrawn) -> Found:
    """Raises: InvalidField for a size that is too large to be made here, whatever the model takes."""
    mode, width, height = request.resize_mode, request.width or 0, request.height or 0
    if mode is None:
        return found
    if width * height > MAX_PIXELS:
        raise InvalidField("width", f"{width}x{height} has more than {MAX_PIXELS} pixels")
    return await _made_over(sources, found, lambda picture: resized(picture, mode, (width, height)))


async def _made_over(sources: Sources, found: Found, change: Callable[[Normal], Normal]) -> Found:
    """Another picture, to be kept like one that was sent, whose credential is still that of its file."""
    picture = found.picture
    if not found.sent and (original := await fetch_original(sources.store, sources.tenant, picture.ref.sha256)):
        picture = replace(picture, original=original)
    changed = await asyncio.to_thread(change, picture)
    return found if changed is picture else Found(changed, sent=True)


def _sent(*found: Found) -> tuple[Kept, ...]:
    return tuple(each.picture.packed() for each in found if each.sent)


async def read_picture(sources: Sources, field: str, text: str) -> Found:
    """The picture that `field` of a request holds or names. Raises: InvalidField; StoreUnavailable."""
    file = sources.fetched.get(text)
    named = await asyncio.to_thread(_whole, file) if file else await asyncio.to_thread(named_picture, field, text)
    if isinstance(named, bytes):
        return Found(await asyncio.to_thread(_judged, field, lambda: normalise(named)), sent=True)
    try:
        png = await fetch(sources.store, sources.tenant, named.sha256)
    except NotStored:
        raise InvalidField(field, "you have no asset with this id") from None
    return Found(await asyncio.to_thread(_judged, field, lambda: stored(png)), sent=False)


def _whole(file: IO[bytes]) -> bytes:
    """Two fields may name one URL."""
    file.seek(0)
    return file.read()


def _judged(field: str, read: Callable[[], T]) -> T:
    try:
        return read()
    except BadPicture as error:
        raise InvalidField(field, error.detail) from error


def _masked(image: PictureRef, mask: Normal) -> Box:
    """What the mask covers. Raises: InvalidField for one that does not fit its picture, or covers nothing."""
    if (mask.ref.width, mask.ref.height) != (image.width, image.height):
        raise InvalidField(
            "mask",
            f"is {mask.ref.width}x{mask.ref.height}, and the image {image.width}x{image.height}: they must be equal",
        )
    masked = bounds(binary(mask.pixels))
    if masked is None:
        raise InvalidField("mask", "is black all over: nothing would be made anew")
    return masked
