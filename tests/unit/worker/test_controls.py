"""Maps of claimed jobs: made beside the engine of the pictures that the plan names, at the plan's size."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from darkroom.catalog.preprocessors import read_preprocessors
from darkroom.catalog.weights import fresh_sha256
from darkroom.contract.controlnet import NamedControlnet, PlannedControl
from darkroom.contract.job import JobState
from darkroom.contract.plan import GenerationPlan
from darkroom.contract.start import Box, FromInside, FromMask, PictureRef
from darkroom.inputs.normal import Pixels, normalise
from darkroom.inputs.shelf import keep
from tests.unit.engine.works import make_plan
from tests.unit.inputs.files import saved
from tests.unit.preprocessors.pictures import house
from tests.unit.worker.shop import Shop
from worker.pictures.prepare import steering
from worker.preprocessors.canny import canny
from worker.preprocessors.preprocessing import Preprocessors

LOST = PictureRef(sha256="ab" * 32, width=128, height=128)


def control(image: PictureRef, kind: str = "canny", *, preprocess: bool = True) -> PlannedControl:
    made_here = {spec.type: spec.digest for spec in read_preprocessors({}, fresh_sha256).specs()}
    return PlannedControl.model_validate(
        {
            "type": kind,
            "preprocessor": made_here.get(kind, "") if preprocess else "",
            "net": NamedControlnet(name="net", sha256="cd" * 32),
            "image": image,
            "scale": 1.0,
            "start": 0.0,
            "end": 1.0,
            "preprocess": preprocess,
        }
    )


async def kept(shop: Shop) -> PictureRef:
    return await keep(shop.store, "ann", normalise(saved(house())))


async def test_the_engine_gets_a_job_with_its_maps_in_their_order(shop: Shop) -> None:
    ref = await kept(shop)
    height, width = house().shape[:2]

    job_id = await shop.generating(controls=(control(ref), control(ref, preprocess=False)), width=width, height=height)

    made, given = shop.engine.works[job_id].maps
    assert np.array_equal(made, canny(house()))
    assert made.any()
    assert np.array_equal(given, house())


async def test_a_map_is_not_made_by_other_weights_than_the_plan_names(shop: Shop) -> None:
    other = control(await kept(shop)).model_copy(update={"preprocessor": "ef" * 32})
    failed = await shop.ended(await shop.submit(controls=(other,)))
    assert failed.failure is not None
    assert failed.failure.code == "preprocessor_unavailable"
    assert "other weights" in failed.failure.message


@pytest.mark.parametrize("preprocess", [True, False])
async def test_a_control_of_the_size_of_a_picture_that_grows_goes_with_it(shop: Shop, preprocess: bool) -> None:
    image, (height, width) = await kept(shop), house().shape[:2]
    start = FromInside(image=image, left=64, top=8, strength=1.0, steps=4, masked_content="fill", feather=0)
    job_id = await shop.generating(
        task="outpaint",
        start=start,
        controls=(control(image, preprocess=preprocess),),
        width=width + 64,
        height=height + 8,
    )
    (given,) = shop.engine.works[job_id].maps
    expected = np.zeros((height + 8, width + 64, 3), np.uint8)
    expected[8:, 64:] = canny(house()) if preprocess else house()
    assert np.array_equal(given, expected), "neither stretched, nor with its edge as a line"


async def test_a_map_is_made_at_the_size_of_the_plan(shop: Shop) -> None:
    job_id = await shop.generating(controls=(control(await kept(shop)),), width=64, height=96)
    (made,) = shop.engine.works[job_id].maps
    assert made.shape == (96, 64, 3)
    assert set(np.unique(made)) == {0, 255}, "lines are not blurred by scaling"


@pytest.mark.parametrize(
    ("kind", "image", "code"), [("canny", LOST, "lost_input"), ("depth", None, "preprocessor_unavailable")]
)
async def test_a_map_that_cannot_be_made_fails_its_job_alone(
    shop: Shop, kind: str, image: PictureRef | None, code: str
) -> None:
    lost = await shop.submit(controls=(control(image or await kept(shop), kind),))
    other = await shop.generating()
    failed = await shop.ended(lost)
    assert failed.failure is not None
    assert (failed.state, failed.failure.code) == (JobState.FAILED, code)
    shop.engine.finish(other)
    assert (await shop.ended(other)).state is JobState.SUCCEEDED


def repainting(seen: Box) -> GenerationPlan:
    image = PictureRef(sha256="a" * 64, width=128, height=64)
    start = FromMask(image=image, mask=image, strength=1.0, steps=4, masked_content="original", feather=0, seen=seen)
    return make_plan(task="inpaint", start=start, width=64, height=64)


def test_with_only_masked_a_control_is_cut_as_the_picture_is() -> None:
    """Also one of another size than the picture's: the same part of its area."""
    quarters = np.zeros((128, 256, 3), np.uint8)
    quarters[:64, 128:192] = 255
    seen = steering(repainting(Box(left=64, top=0, width=32, height=32)), quarters)
    assert seen.shape == (64, 64, 3)
    assert (seen == 255).all()


def test_without_it_a_control_is_seen_whole() -> None:
    whole = np.zeros((64, 128, 3), np.uint8)
    whole[:, 64:] = 255
    seen = steering(repainting(Box(left=0, top=0, width=128, height=64)), whole)
    assert seen[:, :28].max() < 8, "Lanczos rings a little"
    assert seen[:, 36:].min() > 247


def test_what_is_transparent_has_no_lines() -> None:
    assert not steering(make_plan(), np.full((64, 64, 4), [255, 255, 255, 0], np.uint8)).any()


async def test_a_slow_map_keeps_no_thread_from_finishing_pictures(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = threading.Event()

    def waits(self: Preprocessors, kind: str, rgb_HW3: Pixels, resolution: int = 512) -> Pixels:
        go_on.wait(5)
        return rgb_HW3

    monkeypatch.setattr(Preprocessors, "map", waits)
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
    job_id = await shop.submit(controls=(control(await kept(shop)),))
    other = await shop.generating()
    try:
        shop.engine.finish(other)
        assert (await shop.ended(other)).state is JobState.SUCCEEDED
        assert job_id not in shop.engine.works
    finally:
        go_on.set()
