"""A request's pictures, from whatever names them to what the planner is told."""

import base64
from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter

from darkroom.contract.generation import GenerationRequest
from darkroom.contract.inputs import MaskedPicture, NoPicture, OnePicture
from darkroom.contract.start import Box
from darkroom.errors import InvalidField, NotStored
from darkroom.inputs.normal import normalise, stored
from darkroom.inputs.reading import Read, Sources, read_inputs
from darkroom.inputs.shelf import fetch, input_key, keep
from darkroom.storage import MemoryStore
from tests.unit.inputs.files import saved, scene

PICTURE = saved(scene())


def base64_of(data: bytes) -> str:
    return base64.b64encode(data).decode()


def mask_of(box: tuple[slice, slice], width: int = 24, height: int = 16) -> str:
    mask_HW = np.zeros((height, width), np.uint8)
    mask_HW[box] = 255
    return base64_of(saved(mask_HW))


async def read(store: MemoryStore, **fields: Any) -> Read:
    request = TypeAdapter[GenerationRequest](GenerationRequest).validate_python({"prompt": "x", **fields})
    return await read_inputs(Sources(store, "ann"), request)


async def refused(store: MemoryStore | None = None, **fields: Any) -> str:
    with pytest.raises(InvalidField) as raised:
        await read(store or MemoryStore(), **fields)
    return raised.value.field


async def test_words_need_no_picture() -> None:
    assert await read(MemoryStore()) == Read(NoPicture())


async def test_a_picture_in_the_request_is_read_and_ready_to_be_kept() -> None:
    found = await read(MemoryStore(), image=base64_of(PICTURE))
    (picture,) = found.sent
    assert found.inputs == OnePicture(image=picture.ref)
    assert np.array_equal(stored(picture.png).pixels, scene())


async def test_an_asset_is_read_from_the_store_of_its_tenant_alone() -> None:
    store = MemoryStore()
    ref = await keep(store, "ann", normalise(PICTURE))
    found = await read(store, image=ref.sha256)
    assert found.inputs == OnePicture(image=ref)
    assert not found.sent, "what is kept already would be kept again"
    strangers = MemoryStore()
    await keep(strangers, "bob", normalise(PICTURE))
    assert await refused(strangers, image=ref.sha256) == "image"


async def test_a_mask_tells_what_it_covers() -> None:
    found = await read(MemoryStore(), image=base64_of(PICTURE), mask=mask_of((slice(2, 9), slice(4, 20))))
    assert isinstance(found.inputs, MaskedPicture)
    assert found.inputs.masked == Box(left=4, top=2, width=16, height=7)
    assert len(found.sent) == 2


async def test_what_is_wrong_with_a_picture_names_its_field() -> None:
    image, mask = base64_of(PICTURE), mask_of((slice(2, 9), slice(4, 20)))
    assert await refused(image="AAAA") == "image"
    assert await refused(image="ab" * 32) == "image"
    assert await refused(image=image, mask="AAAA") == "mask"
    assert await refused(image=image, mask=mask_of((slice(0, 0), slice(0, 0)))) == "mask"
    assert await refused(image=image, mask=mask_of((slice(0, 4), slice(0, 4)), width=16, height=24)) == "mask"
    assert await refused(image="AAAA", mask=mask) == "image"


async def test_bytes_that_changed_in_the_store_are_not_taken() -> None:
    store = MemoryStore()
    ref = await keep(store, "ann", normalise(PICTURE))
    await store.put(input_key("ann", ref.sha256), normalise(saved(scene()[::-1])).png, media_type="image/png")
    with pytest.raises(NotStored):
        await fetch(store, "ann", ref.sha256)
    assert await refused(store, image=ref.sha256) == "image"
    await keep(store, "ann", normalise(PICTURE))
    assert await fetch(store, "ann", ref.sha256) == normalise(PICTURE).png


def test_a_key_hides_the_tenant_and_fits_any_name() -> None:
    keys = {input_key(tenant, "ab" * 32) for tenant in ("ann", "../ann", "ann/..", "\N{SNOWMAN}", "")}
    assert len(keys) == 5
    assert all(key.startswith("inputs/") and key.endswith(f"/{'ab' * 32}.png") and "ann" not in key for key in keys)


async def test_pictures_of_controls_are_read_for_every_task_in_their_order() -> None:
    store = MemoryStore()
    ref = await keep(store, "ann", normalise(PICTURE))
    controls = ({"type": "canny", "image": base64_of(saved(scene(8, 8)))}, {"type": "depth", "image": ref.sha256})
    words = await read(store, controlnets=controls)
    (sent,) = words.sent
    assert words.inputs == NoPicture(controls=(sent.ref, ref))
    redrawn = await read(store, image=ref.sha256, controlnets=controls)
    assert redrawn.inputs == OnePicture(image=ref, controls=(sent.ref, ref))


async def test_a_picture_of_a_control_that_is_none_is_refused_by_field() -> None:
    good = {"type": "canny", "image": base64_of(PICTURE)}
    field = await refused(controlnets=(good, {"type": "canny", "image": base64_of(b"no picture")}))
    assert field == "controlnets.1.image"
