"""What goes wrong in one request stays there; what the device does not recover from ends the engine."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from darkroom.errors import BrokenWeights, GenerationError, NanOutput, OutOfMemory
from tests.unit.engine.networks import Grey, still_checkpoint, watch
from tests.unit.engine.works import Recorder, cache_of, develop, finish, make_work
from worker.engine import Engine
from worker.engine.decode import decode
from worker.engine.sample import Sample
from worker.engine.vae import Circumstances
from worker.models.cache import ModelCache
from worker.models.checkpoint import Checkpoint

LATENTS_1CHW = torch.zeros(1, 4, 8, 8)


def poison(checkpoint: Checkpoint, text: str, error: Exception) -> Checkpoint:
    """A checkpoint whose U-Net raises `error` whenever a row is conditioned on `text`."""
    poison_TC = checkpoint.text.encode(text).context_1TC[0]

    def before(latents_RCHW: Tensor, context_RTC: Tensor) -> None:
        if any(torch.equal(row_TC, poison_TC) for row_TC in context_RTC):
            raise error

    return watch(checkpoint, before)[0]


def cramped(checkpoint: Checkpoint, most_rows: int) -> Checkpoint:
    """A checkpoint whose device has memory for `most_rows` rows of 8 x 8 latents."""

    def before(latents_RCHW: Tensor, context_RTC: Tensor) -> None:
        if latents_RCHW[:, 0].numel() > most_rows * 64:
            raise torch.OutOfMemoryError("CUDA out of memory")

    return watch(checkpoint, before)[0]


def test_a_scheduler_nobody_knows_fails_its_own_request_alone(epsilon: Checkpoint) -> None:
    told = develop(epsilon, [make_work("bad", scheduler="nope"), make_work("good")])

    assert type(told.failures["bad"]) is GenerationError
    assert list(told.images) == ["good"]


@pytest.mark.parametrize("method", ["rows", "move", "settle"])
def test_an_image_that_breaks_between_passes_fails_its_job_alone(
    epsilon: Checkpoint, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    original = getattr(Sample, method)

    def breaks(sample: Sample, *arguments: Tensor) -> object:
        if sample.steps == 5 and sample.step == 2:
            raise IndexError("secret words")
        return original(sample, *arguments)

    monkeypatch.setattr(Sample, method, breaks)
    told = develop(epsilon, [make_work("bad", steps=5, seeds=(1, 2)), make_work("good", steps=6)])

    assert told.ended == ["bad", "good"]
    assert "secret" not in told.failures["bad"].detail
    assert isinstance(told.failures["bad"].__cause__, IndexError)


def test_a_row_that_breaks_the_shared_pass_is_found_and_fails_alone(epsilon: Checkpoint) -> None:
    checkpoint = poison(epsilon, "poison", ValueError("boom"))
    works = [make_work(f"good{index}", scheduler="euler_a") for index in range(3)]

    told = develop(checkpoint, [*works[:2], make_work("bad", prompt="poison"), works[2]])

    assert list(told.failures) == ["bad"]
    assert set(told.images) == {"good0", "good1", "good2"}


def test_a_broken_device_ends_the_engine(epsilon: Checkpoint) -> None:
    checkpoint = poison(epsilon, "poison", torch.AcceleratorError("CUDA error: an illegal memory access"))

    with pytest.raises(torch.AcceleratorError):
        develop(checkpoint, [make_work("bad", prompt="poison")])


@pytest.mark.parametrize("most_rows", [1, 2, 3])
def test_out_of_memory_makes_passes_smaller_and_nobody_notices(epsilon: Checkpoint, most_rows: int) -> None:
    told = develop(cramped(epsilon, most_rows), [make_work("a"), make_work("b"), make_work("c", guidance_scale=1.0)])

    assert told.failures == {}
    assert set(told.images) == {"a", "b", "c"}


def test_a_picture_too_large_for_the_device_fails_and_smaller_ones_go_on(epsilon: Checkpoint) -> None:
    told = develop(cramped(epsilon, 3), [make_work("large", width=128, height=128), make_work("small")])

    assert isinstance(told.failures["large"], OutOfMemory)
    assert list(told.images) == ["small"]


def test_out_of_memory_first_drops_idle_models(epsilon: Checkpoint) -> None:
    def before(latents_RCHW: Tensor, context_RTC: Tensor) -> None:
        if cache.resident() != ("model",):
            raise torch.OutOfMemoryError("CUDA out of memory")

    checkpoint, unet = watch(epsilon, before)
    cache = cache_of(checkpoint, still_checkpoint("idle"))
    cache.lease("idle").release()
    recorder = Recorder()
    engine = Engine(cache, recorder)
    engine.admit(make_work(seeds=(1, 2)))
    finish(engine)
    engine.close()

    assert unet.passes == [4] * 5
    assert recorder.ended == ["job"]


def test_a_deterministic_pass_is_never_made_smaller(epsilon: Checkpoint) -> None:
    told = develop(cramped(epsilon, 4), [make_work("exact", deterministic=True), make_work("any")])

    assert isinstance(told.failures["exact"], OutOfMemory)
    assert list(told.images) == ["any"]


def test_latents_that_are_not_numbers_fail_as_nan_output(epsilon: Checkpoint) -> None:
    def before(latents_RCHW: Tensor, context_RTC: Tensor) -> None:
        latents_RCHW.fill_(torch.nan)

    told = develop(watch(epsilon, before)[0], [make_work()])

    assert isinstance(told.failures["job"], NanOutput)
    assert told.images == {}


def half(vae: Grey) -> Checkpoint:
    return replace(still_checkpoint(vae=vae), dtype=torch.float16)


def test_a_decoder_that_overflows_in_half_precision_decodes_again_in_float32() -> None:
    vae = Grey(lambda dtype: torch.nan if dtype is torch.float16 else 1.0)

    rgb_HWC = decode(half(vae), LATENTS_1CHW)

    assert vae.dtypes == [torch.float16, torch.float32]
    assert (rgb_HWC == 255).all()


def test_a_decoder_that_yields_no_numbers_at_all_is_no_black_picture() -> None:
    vae = Grey(lambda dtype: torch.inf)

    with pytest.raises(NanOutput):
        decode(half(vae), LATENTS_1CHW)

    assert vae.dtypes == [torch.float16, torch.float32]


def test_a_decoder_without_memory_decodes_in_tiles_and_stops_tiling_after() -> None:
    def pixels(dtype: torch.dtype) -> float:
        if not vae.tilings:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return 0.0

    vae = Grey(pixels)
    freed = []

    decode(still_checkpoint(vae=vae), LATENTS_1CHW, Circumstances(lambda: freed.append(True)))

    assert freed == [True]
    assert vae.tilings == [True, False]


def test_a_decoder_without_memory_even_for_tiles_fails_as_out_of_memory() -> None:
    def pixels(dtype: torch.dtype) -> float:
        raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory")

    with pytest.raises(OutOfMemory):
        decode(still_checkpoint(vae=Grey(pixels)), LATENTS_1CHW)


def test_a_failed_decoding_fails_its_job_and_leaves_nothing_behind() -> None:
    recorder = Recorder()
    engine = Engine(cache_of(still_checkpoint(vae=Grey(lambda dtype: torch.nan))), recorder)
    engine.admit(make_work(seeds=(1, 2, 3)))

    finish(engine)
    engine.close()

    assert isinstance(recorder.failures["job"], NanOutput)
    assert recorder.ended == ["job"]
    assert engine.in_flight() == ()


def test_a_model_that_cannot_be_loaded_fails_its_own_works_by_name() -> None:
    good = still_checkpoint("good")

    def load(name: str) -> Checkpoint:
        if name == "bad":
            raise BrokenWeights("unet/weights.safetensors", "truncated")
        return good

    recorder = Recorder()
    engine = Engine(ModelCache(load, lambda name: 1, 10), recorder)
    for job_id, model in (("one", "bad"), ("two", "good"), ("three", "bad")):
        engine.admit(make_work(job_id, model=model))
    finish(engine)
    engine.close()

    assert {job: error.code for job, error in recorder.failures.items()} == {
        "one": "broken_weights",
        "three": "broken_weights",
    }
    assert list(recorder.images) == ["two"]


def test_a_model_too_large_for_the_device_fails_its_works_as_out_of_memory() -> None:
    def load(name: str) -> Checkpoint:
        raise torch.OutOfMemoryError("CUDA out of memory")

    recorder = Recorder()
    engine = Engine(ModelCache(load, lambda name: 1, 10), recorder)
    engine.admit(make_work())
    finish(engine)
    engine.close()

    assert isinstance(recorder.failures["job"], OutOfMemory)


def test_a_plan_for_other_weights_is_refused(epsilon: Checkpoint) -> None:
    told = develop(
        epsilon,
        [
            make_work("stale", weights={"unet/old.safetensors": "0" * 64}),
            make_work("now", weights=epsilon.spec.weights),
        ],
    )

    assert isinstance(told.failures["stale"], BrokenWeights)
    assert list(told.images) == ["now"]


def test_a_failed_work_gives_its_lease_back(epsilon: Checkpoint) -> None:
    cache = cache_of(epsilon)
    engine = Engine(cache, Recorder())
    engine.admit(make_work(scheduler="nope"))

    finish(engine)
    engine.close()
    cache.evict_idle()

    assert cache.resident() == ()
