"""While pictures as large as any are read, others are answered as if nobody had sent one."""

import asyncio
import base64
import io
import json
import time

import httpx
import numpy as np
import pytest
from PIL import Image

from tests.fakes import fake_services
from tests.gateway import GENERATIONS, client_of

pytestmark = pytest.mark.slow

# 12 megapixels, as telephones make them.
WIDTH, HEIGHT = 4000, 3000
SENT_AT_ONCE = 3
# What a refusal may take; reading one such picture takes many times as long.
MOST_LAG = 0.1


def photograph(seed: int) -> bytes:
    """A JPEG whose every part takes the work of decoding."""
    noise_hw3 = np.random.default_rng(seed).integers(0, 256, (HEIGHT // 8, WIDTH // 8, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise_hw3).resize((WIDTH, HEIGHT)).save(file, "jpeg", quality=90)
    return file.getvalue()


def asking_with(picture: bytes) -> bytes:
    image = "data:image/jpeg;base64," + base64.b64encode(picture).decode()
    return json.dumps({"prompt": "a red circle", "image": image, "width": 256, "height": 192}).encode()


async def livez_until(done: asyncio.Event, client: httpx.AsyncClient) -> list[float]:
    """Seconds that each of a steady row of looks took."""
    seconds = []
    while not done.is_set():
        began = time.monotonic()
        assert (await client.get("/livez")).status_code == 200
        seconds.append(time.monotonic() - began)
        await asyncio.sleep(0.01)
    return seconds


async def read_beside(client: httpx.AsyncClient, bodies: list[bytes]) -> tuple[list[float], float]:
    """How long looks took while the bodies were read, and how long reading them took."""
    done = asyncio.Event()
    looks = asyncio.create_task(livez_until(done, client))
    began = time.monotonic()
    headers = {"Content-Type": "application/json"}
    answers = await asyncio.gather(*(client.post(GENERATIONS, content=body, headers=headers) for body in bodies))
    took = time.monotonic() - began
    done.set()
    assert {answer.status_code for answer in answers} == {202}, answers[0].text
    return await looks, took


async def test_pictures_of_12_megapixels_hold_up_nobody() -> None:
    bodies = [asking_with(photograph(seed)) for seed in range(SENT_AT_ONCE)]
    async with client_of(fake_services()) as client:
        for _ in range(3):  # others use this machine, too
            seconds, took = await read_beside(client, bodies)
            lag = sorted(seconds)[int(len(seconds) * 0.99)]
            if lag < MOST_LAG:
                break
    assert lag < MOST_LAG, (lag, took)
    assert took > 3 * MOST_LAG, "on the event loop it would have been seen"
