import asyncio
import base64
import gc

import httpx
import pytest

from api.dialects.openai.asked import Asking
from darkroom.contract.generation import ImageToImage
from darkroom.services import Services
from tests.gateway import finish_one
from tests.unit.inputs.files import saved, scene

SEED = 70_707


def _held() -> list[object]:
    """Requests with a picture in them that are still somewhere."""
    gc.collect()
    kinds = (Asking, ImageToImage)
    found = [each for each in gc.get_objects() if issubclass(type(each), kinds)]  # asks no object, some warn
    return [each for each in found if isinstance(each, Asking) or each.seed == SEED]


@pytest.mark.parametrize("stream", [False, True])
async def test_no_picture_is_held_while_its_caller_waits(
    services: Services, client: httpx.AsyncClient, stream: bool
) -> None:
    picture = base64.b64encode(saved(scene(128, 128))).decode()
    body = {"prompt": "a", "image": [picture], "steps": 2, "seed": SEED, "stream": stream}
    waiting = asyncio.create_task(client.post("/v1/images/edits", json=body))
    async with asyncio.timeout(5):
        while not any((await services.ledger.waiting()).values()):
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)
    held = _held()
    await finish_one(services)
    assert (await waiting).status_code == 200
    assert held == []
