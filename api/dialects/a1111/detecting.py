"""Maps of pictures for a caller who waits for them: made as those that the native API is asked for."""

import asyncio
import base64
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.requests import Request

from api.desk import Desks
from api.dialects.a1111.controlnet_extension import MODULE, Detection
from api.dialects.making import ended, succeeded
from api.errands import fetched
from api.kinds import preprocess_plan
from api.preprocessing import Made, preprocess
from darkroom.contract.control import ControlType
from darkroom.contract.job import Job
from darkroom.contract.preprocess import PreprocessAsked
from darkroom.contract.start import PictureRef
from darkroom.errors import InvalidField, PreprocessorFailed, UrlError, WaitTimedOut
from darkroom.inputs.maps import recall
from darkroom.inputs.reading import Sources, read_picture
from darkroom.inputs.shelf import fetch
from darkroom.services import Services


async def detected(request: Request, services: Services, tenant: str, asked: Detection) -> list[str]:
    """A map of each picture, in base64; with the module `none` the pictures themselves, as they are read.

    A caller who hangs up leaves the maps being made: they are kept, and who asks again finds them.
    Raises: InvalidField, WaitTimedOut; as `preprocess`, and as the job that makes a map ended.
    """
    desks: Desks = request.app.state.desks
    kind = asked.module.type
    if kind is None:
        return [await _as_read(services, desks, tenant, asked, index) for index in range(len(asked.images))]
    with desks.listeners.of(tenant):
        begun = [await _begun(services, desks, tenant, asked, kind, index) for index in range(len(asked.images))]
        refs = await asyncio.gather(*(_ref(request, services, each) for each in begun))
    return [_text(await fetch(services.store, tenant, ref.sha256)) for ref in refs]


async def _begun(
    services: Services, desks: Desks, tenant: str, asked: Detection, kind: ControlType, index: int
) -> Made | Job:
    wanted = PreprocessAsked(type=kind, image=asked.images[index], detect_resolution=asked.resolution)
    with _in_its_words({"image": f"{asked.field}.{index}", "type": MODULE}):
        return await preprocess(services, desks, tenant, wanted)


async def _ref(request: Request, services: Services, begun: Made | Job) -> PictureRef:
    if isinstance(begun, Made):
        return begun.ref
    job = await ended(request, services, begun)
    if not job.state.terminal:
        raise WaitTimedOut("the map was not made in the time that is waited for one; it goes on, and is found again")
    ref = await recall(services.store, job.tenant, preprocess_plan(succeeded(job)).map_name)
    if ref is None:
        raise PreprocessorFailed("the map was made, and is gone")
    return ref


async def _as_read(services: Services, desks: Desks, tenant: str, asked: Detection, index: int) -> str:
    image, field = asked.images[index], f"{asked.field}.{index}"
    async with fetched(desks.errands, tenant, {field: image}, services.guard) as files, desks.reading.of(tenant):
        found = await read_picture(Sources(services.store, tenant, files), field, image)
    return _text(found.picture.png)


@contextmanager
def _in_its_words(names: dict[str, str]) -> Iterator[None]:
    """Fields of ours by those that the caller wrote."""
    try:
        yield
    except (InvalidField, UrlError) as error:
        error.field = names.get(error.field or "", error.field)
        raise


def _text(png: bytes) -> str:
    return base64.b64encode(png).decode()
