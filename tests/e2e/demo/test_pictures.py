"""Every task that begins with a picture, asked for over HTTP, made by the embedded model, and looked at."""

import base64
import io
import os
import signal
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.e2e.demo.service import Up, processes_of, up

pytestmark = pytest.mark.slow

Pixels = NDArray[np.uint8]
SIDE = 128


def disc(colour: tuple[int, int, int] = (220, 20, 30)) -> Pixels:
    """A disc of one colour in the middle of a white picture."""
    down, across = np.mgrid[:SIDE, :SIDE]
    picture = np.full((SIDE, SIDE, 3), 250, np.uint8)
    picture[(down - 64) ** 2 + (across - 64) ** 2 < 36**2] = colour
    return picture


def encoded(picture: Pixels) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG")
    return buffer.getvalue()


def decoded(data: bytes) -> Pixels:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def generated(client: httpx.Client, **asked: Any) -> tuple[Any, bytes]:
    """The record of a finished generation, and the file of its picture."""
    answer = client.post("/api/v1/generations", json={"seed": 3, **asked}, headers={"Prefer": "wait=60"})
    record = answer.json()
    assert record.get("state") == "succeeded", answer.text
    data = client.get(record["images"][0]["url"]).content
    assert (
        client.post("/api/v1/provenance/verify", content=data, headers={"Content-Type": "image/png"}).json()["state"]
        == "intact"
    )
    return record, data


def test_pictures_are_redrawn_repainted_and_expanded(tmp_path: Path) -> None:
    """One service for all, since each start loads torch."""
    with up(tmp_path) as service, httpx.Client(base_url=service.url, timeout=90, trust_env=False) as client:
        red = client.post("/api/v1/assets", content=encoded(disc()), headers={"Content-Type": "image/png"}).json()
        a_red_disc_is_redrawn_in_blue(client, red["id"])
        half_of_it_is_repainted(client, red["id"])
        it_is_expanded(client, red["id"])
        a_circle_is_drawn_large(client)
        its_outline_is_found(client, red["id"])
        its_place_is_taken_by_another_colour(client)
        a_map_waits_for_the_next_worker(client, service)


def near(found: Pixels, expected: Pixels) -> bool:
    """The watermark changes every pixel by a little."""
    difference = np.abs(found.astype(int) - expected.astype(int))
    return float(difference.mean()) < 4 and int(np.percentile(difference, 99)) < 24


def a_red_disc_is_redrawn_in_blue(client: httpx.Client, red: str) -> None:
    record, data = generated(client, prompt="a blue circle on a white background", image=red, strength=0.8)
    assert record["plan"]["task"] == "image_to_image"
    assert record["plan"]["start"]["image"]["sha256"] == red
    middle = decoded(data)[54:74, 54:74].reshape(-1, 3).mean(axis=0)
    assert middle[2] > middle[0] + 40, "blue"


def a_circle_is_drawn_large(client: httpx.Client) -> None:
    words = "a red circle on a white background"
    _, small = generated(client, prompt=words)
    record, data = generated(client, prompt=words, hires={"scale": 1.5, "strength": 0.4, "upscaler": "lanczos"})
    large = Image.fromarray(decoded(data))
    (image,) = record["images"]
    assert large.size == (image["width"], image["height"]) == (192, 192)
    assert (record["plan"]["width"], record["progress"]["step"], record["progress"]["steps"]) == (SIDE, 28, 28)

    drawn, redrawn = decoded(small), np.asarray(large.resize((SIDE, SIDE)))
    was_red, is_red = (picture[..., 0].astype(int) - picture[..., 2] > 60 for picture in (drawn, redrawn))
    assert (was_red & is_red).sum() > 0.7 * (was_red | is_red).sum() > 300


def half_of_it_is_repainted(client: httpx.Client, red: str) -> None:
    mask = np.zeros((SIDE, SIDE, 3), np.uint8)
    mask[:, 64:] = 255
    text = base64.b64encode(encoded(mask)).decode()
    record, data = generated(client, prompt="a blue circle on a white background", image=red, mask=text)
    picture = decoded(data)
    assert record["plan"]["task"] == "inpaint"
    assert near(picture[:, :64], disc()[:, :64])
    assert not near(picture[:, 64:], disc()[:, 64:])


def it_is_expanded(client: httpx.Client, red: str) -> None:
    record, data = generated(
        client, prompt="a red circle on a white background", image=red, expand={"right": 60}, mask_blur=0
    )
    picture = decoded(data)
    assert picture.shape == (SIDE, 192, 3)
    assert [notice["field"] for notice in record["warnings"]] == ["expand.right"]
    assert near(picture[:, :SIDE], disc())


def its_outline_is_found(client: httpx.Client, red: str) -> None:
    made = client.post("/api/v1/preprocess", json={"type": "canny", "image": red}).json()
    assert made["state"] == "succeeded"
    outline = decoded(client.get(f"/api/v1/assets/{made['map']['id']}").content)[..., 0] > 0
    down, across = np.nonzero(outline)
    assert outline.any()
    assert np.abs(np.hypot(down - 64, across - 64) - 36).max() < 3
    again = client.post("/api/v1/preprocess", json={"type": "canny", "image": red}).json()
    assert (again["id"], again["map"]) == (None, made["map"]), "it is not made twice"


def its_place_is_taken_by_another_colour(client: httpx.Client) -> None:
    """A disc in a corner, where no caption would put one: its outline alone says where."""
    corner = np.roll(disc(), (-22, 20), axis=(0, 1))
    control = {"type": "canny", "image": base64.b64encode(encoded(corner)).decode()}
    record, data = generated(client, prompt="a blue circle on a white background", controlnets=[control])
    assert record["plan"]["controls"][0]["net"]["name"] == "tiny-canny"
    blue = decoded(data)[..., 0] < 128
    given = corner[..., 1] < 128
    assert (blue & given).sum() / (blue | given).sum() > 0.8


def a_map_waits_for_the_next_worker(client: httpx.Client, service: Up) -> None:
    """Asked for while nobody can make it: it waits in the ledger, and whoever comes next makes it."""
    for pid, command in processes_of(service.environment).items():
        if "worker.child" in command:  # the one that works, and the one that stands by
            os.kill(pid, signal.SIGKILL)
    picture = base64.b64encode(encoded(disc((20, 30, 220)))).decode()
    asked = client.post(
        "/api/v1/preprocess", json={"type": "scribble", "image": picture}, headers={"Prefer": "wait=60"}
    ).json()
    assert asked["state"] == "succeeded"
