"""A work's life in the engine: admission, progress, pictures, cancellation, cost."""

import threading
import time
from collections.abc import Callable, Iterator
from itertools import count

import pytest

from tests.unit.engine.metering import Pass, Passes
from tests.unit.engine.networks import Watched, still_checkpoint, watch
from tests.unit.engine.works import Recorder, cache_of, develop, finish, make_work
from worker.engine import Engine
from worker.models.checkpoint import Checkpoint


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def engine_of(recorder: Recorder) -> Iterator[Callable[..., Engine]]:
    engines: list[Engine] = []

    def make(*checkpoints: Checkpoint, budget_bytes: int = 1 << 30, **options: object) -> Engine:
        cache = cache_of(*checkpoints, budget_bytes=budget_bytes)
        engines.append(Engine(cache, recorder, **options))
        return engines[-1]

    yield make
    for engine in engines:
        engine.close()


def step_until(engine: Engine, condition: Callable[[], bool], most: int = 200) -> None:
    for _ in range(most):
        if condition():
            return
        engine.step()
    raise AssertionError("it never came to that")


def test_every_image_arrives_once_and_then_the_end(epsilon: Checkpoint) -> None:
    told = develop(epsilon, [make_work(seeds=(1, 2, 3))])

    assert sorted(told.images["job"]) == [0, 1, 2]
    assert told.ended == ["job"]


def test_progress_counts_every_step_of_every_image(epsilon: Checkpoint) -> None:
    told = develop(epsilon, [make_work(seeds=(1, 2), steps=3)])

    assert told.steps["job"] == [(2, 6), (4, 6), (6, 6)]


def test_a_request_joins_others_in_the_middle(epsilon: Checkpoint, engine_of, recorder: Recorder) -> None:
    checkpoint, unet = watch(epsilon)
    engine = engine_of(checkpoint)
    engine.admit(make_work("long", steps=6))
    step_until(engine, lambda: len(recorder.steps.get("long", ())) == 2)

    engine.admit(make_work("late", steps=2, guidance_scale=1.0))
    finish(engine)

    assert unet.passes == [2, 2, 3, 3, 2, 2]
    assert recorder.ended == ["late", "long"]


def test_a_pass_never_has_more_rows_than_allowed(epsilon: Checkpoint) -> None:
    checkpoint, unet = watch(epsilon)

    told = develop(checkpoint, [make_work(seeds=tuple(range(7)))], max_rows=5)

    assert max(unet.passes) == 4
    assert len(told.images["job"]) == 7


def test_a_deterministic_pass_always_has_the_same_number_of_rows(epsilon: Checkpoint) -> None:
    checkpoint, unet = watch(epsilon)

    develop(checkpoint, [make_work("one", deterministic=True), make_work("many", deterministic=True, seeds=(1, 2, 3))])

    assert set(unet.passes) == {8}


def test_images_are_decoded_one_between_steps(engine_of, recorder: Recorder) -> None:
    engine = engine_of(still_checkpoint())
    engine.admit(make_work("batch", seeds=(1, 2, 3), steps=2))
    engine.admit(make_work("long", steps=9))
    step_until(engine, lambda: len(recorder.images.get("batch", ())) == 1)
    before = len(recorder.steps["long"])

    step_until(engine, lambda: len(recorder.images["batch"]) == 3)

    assert len(recorder.steps["long"]) == before + 2


def test_a_canceled_job_makes_no_further_step(epsilon: Checkpoint, engine_of, recorder: Recorder) -> None:
    checkpoint, unet = watch(epsilon)
    engine = engine_of(checkpoint)
    engine.admit(make_work("gone", steps=9))
    engine.admit(make_work("stays", steps=4))
    step_until(engine, lambda: len(recorder.steps.get("gone", ())) == 2)

    engine.cancel("gone")
    finish(engine)

    assert unet.passes == [4, 4, 2, 2]
    assert recorder.canceled == ["gone"]
    assert list(recorder.images) == ["stays"]
    assert engine.in_flight() == ()


def test_a_job_is_canceled_while_its_images_wait_for_the_decoder(engine_of, recorder: Recorder) -> None:
    engine = engine_of(still_checkpoint())
    engine.admit(make_work(seeds=(1, 2, 3), steps=1))
    step_until(engine, lambda: len(recorder.images.get("job", ())) == 1)

    engine.cancel("job")
    finish(engine)

    assert recorder.ended == ["job"]
    assert recorder.canceled == ["job"]
    assert len(recorder.images["job"]) == 1


def test_a_job_canceled_before_its_first_step_is_never_begun(engine_of, recorder: Recorder) -> None:
    engine = engine_of(still_checkpoint())
    engine.admit(make_work())
    engine.cancel("job")

    finish(engine)

    assert recorder.ended == recorder.canceled == ["job"]
    assert recorder.steps == {}


def test_canceling_does_not_reach_a_later_attempt(engine_of, recorder: Recorder) -> None:
    engine = engine_of(still_checkpoint())
    engine.admit(make_work(attempt=1))
    engine.cancel("job")
    engine.admit(make_work(attempt=2))

    finish(engine)

    assert recorder.ended == ["job", "job"]
    assert recorder.canceled == ["job"]


def test_canceling_an_unknown_job_is_nothing(engine_of, recorder: Recorder) -> None:
    engine = engine_of(still_checkpoint())

    engine.cancel("nobody")

    assert engine.step() is False
    assert recorder.ended == []


def test_an_attempt_is_admitted_once(engine_of) -> None:
    engine = engine_of(still_checkpoint())
    engine.admit(make_work())

    with pytest.raises(ValueError, match="already"):
        engine.admit(make_work())


def test_room_shrinks_by_rows_and_grows_as_images_are_decoded(engine_of, recorder: Recorder) -> None:
    engine = engine_of(still_checkpoint(), max_rows=8)
    assert engine.room() == 4
    engine.admit(make_work("three", seeds=(1, 2, 3), steps=1))
    assert engine.room() == 1
    engine.admit(make_work("huge", seeds=tuple(range(9)), steps=1, guidance_scale=1.0))
    assert engine.room() == 0

    finish(engine)

    assert engine.room() == 4


def test_device_seconds_are_shared_by_rows(engine_of, recorder: Recorder) -> None:
    ticks = count()
    engine = engine_of(still_checkpoint(), clock=lambda: float(next(ticks)))
    engine.admit(make_work("guided", steps=3))
    engine.admit(make_work("plain", steps=3, guidance_scale=1.0))

    finish(engine)

    # Each clock reading is a second after the last: three steps and one decoding each take one second.
    assert recorder.seconds["guided"] == pytest.approx(3 * 2 / 3 + 1)
    assert recorder.seconds["plain"] == pytest.approx(3 * 1 / 3 + 1)


def test_what_comes_to_nothing_has_cost_its_device_seconds_too(engine_of, recorder: Recorder) -> None:
    ticks = count()
    engine = engine_of(still_checkpoint(), clock=lambda: float(next(ticks)))
    for name in ("first", "second"):
        engine.admit(make_work(name, steps=3))
    while "first" not in recorder.steps:
        engine.step()
    engine.cancel("first")
    engine.admit(make_work("third", steps=3))
    engine.cancel("third")

    finish(engine)

    assert set(recorder.canceled) == {"first", "third"}
    assert (recorder.seconds["first"], recorder.seconds["third"]) == (pytest.approx(1 / 2), 0)
    assert recorder.seconds["second"] == pytest.approx(1 / 2 + 2 + 1)


def test_words_beyond_the_last_chunk_are_noticed(epsilon: Checkpoint) -> None:
    told = develop(epsilon, [make_work("long", prompt="red " * 1_300, steps=1), make_work("short")])

    assert [notice.field for notice in told.notices["long"]] == ["prompt"]
    assert "short" not in told.notices


def test_the_heart_shows_a_step_while_it_runs_and_rests_after(epsilon: Checkpoint, engine_of) -> None:
    seen = []
    checkpoint, _ = watch(epsilon, lambda latents, context: seen.append(engine.heartbeat))
    engine: Engine = engine_of(checkpoint)
    engine.admit(make_work(steps=2))
    before = time.monotonic()

    finish(engine)

    assert len(seen) == 2
    assert all(before <= beat.at <= time.monotonic() and beat.expected > 0 for beat in seen)
    assert engine.heartbeat.at is None


def test_a_pass_too_small_for_guidance_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 2"):
        Engine(cache_of(still_checkpoint()), Recorder(), max_rows=1)


def test_run_serves_what_other_threads_admit_until_told_to_stop(engine_of, recorder: Recorder) -> None:
    engine = engine_of(still_checkpoint())
    stop, done = threading.Event(), threading.Event()
    recorder.on_finished = lambda work, seconds: done.set()  # type: ignore[method-assign]
    thread = threading.Thread(target=engine.run, args=(stop,))
    thread.start()

    engine.admit(make_work())
    finished = done.wait(10)
    stop.set()
    thread.join(10)

    assert finished
    assert not thread.is_alive()


def test_passes_are_shared_across_prompts_schedulers_and_guidance(epsilon: Checkpoint) -> None:
    checkpoint, unet = watch(epsilon)
    assert isinstance(unet, Watched)

    develop(
        checkpoint,
        [
            make_work("a", scheduler="euler_a", steps=2),
            make_work("b", scheduler="unipc", steps=2, guidance_scale=1.0, prompt="two blue stars"),
            make_work("c", scheduler="lms", steps=2, guidance_scale=9.0, negative_prompt="red"),
        ],
    )

    assert unet.passes == [5, 5]


def test_every_pass_is_told_with_its_model_its_rows_and_its_time(epsilon: Checkpoint, engine_of, recorder) -> None:
    passes: list[Pass] = []
    engine = engine_of(epsilon, meter=Passes(passes))
    engine.admit(make_work("a", steps=2))
    engine.admit(make_work("b", steps=2, guidance_scale=1.0))
    step_until(engine, lambda: len(recorder.ended) == 2)
    assert [(each.model, each.rows) for each in passes] == [("model", 3), ("model", 3)]
    assert all(each.seconds > 0 for each in passes)
