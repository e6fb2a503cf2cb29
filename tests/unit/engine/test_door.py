"""Works wait for models, and only for their own."""

import threading
import time

from darkroom.errors import OutOfMemory
from tests.unit.engine.networks import still_checkpoint
from tests.unit.engine.staged import refined
from tests.unit.engine.works import Recorder, finish, make_work
from worker.engine import Engine
from worker.models.cache import ModelCache
from worker.models.checkpoint import Checkpoint


def test_the_engine_steps_on_while_another_model_is_loaded() -> None:
    go_on = threading.Event()

    def load(name: str) -> Checkpoint:
        if name == "slow":
            assert go_on.wait(10)
        return still_checkpoint(name)

    recorder = Recorder()
    cache = ModelCache(load, lambda name: 1, 1000)
    cache.lease("quick").release()
    engine = Engine(cache, recorder)
    engine.admit(make_work("slow", model="slow"))
    engine.step()
    engine.admit(make_work("quick", model="quick"))
    for _ in range(10):
        engine.step()
    assert recorder.ended == ["quick"]

    go_on.set()
    finish(engine)
    engine.close()
    assert recorder.ended == ["quick", "slow"]


def test_the_heart_shows_for_how_long_a_load_has_been_going_on() -> None:
    beats = []

    def load(name: str) -> Checkpoint:
        while not beats:
            if engine.heartbeat.at is not None:
                beats.append(engine.heartbeat)
            time.sleep(0.001)
        return still_checkpoint(name)

    engine = Engine(ModelCache(load, lambda name: 1, 1000), Recorder())
    engine.admit(make_work())
    before = time.monotonic()
    finish(engine)
    engine.close()

    assert beats[0].expected > 60
    assert before <= beats[0].at <= time.monotonic()
    assert engine.heartbeat.at is None


def test_a_load_that_waits_for_another_is_timed_from_when_it_begins() -> None:
    shown: list[tuple[float, float | None]] = []

    def load(name: str) -> Checkpoint:
        if not shown:
            time.sleep(0.02)
        shown.append((time.monotonic(), engine._door.loading_since))
        return still_checkpoint(name)

    engine = Engine(ModelCache(load, lambda name: 1, 1000), Recorder())
    for name in ("one", "two"):
        engine.admit(make_work(name, model=name, steps=1))
    finish(engine)
    engine.close()

    (first_ended, _), (_, second_began) = shown
    assert second_began is not None
    assert second_began >= first_ended
    assert engine._door.loading_since is None


def test_a_work_that_can_never_fit_loads_nothing_and_drives_nothing_out() -> None:
    loaded: list[str] = []

    def load(name: str) -> Checkpoint:
        loaded.append(name)
        return still_checkpoint(name, size=600)

    recorder = Recorder()
    cache = ModelCache(load, lambda name: 600, 1000)
    engine = Engine(cache, recorder)
    engine.admit(make_work("other", model="other", steps=1))
    finish(engine)
    engine.admit(refined("never", steps=2))
    finish(engine)
    engine.close()

    assert isinstance(recorder.failures["never"], OutOfMemory)
    assert loaded == ["other"]
    assert cache.resident() == ("other",)


def test_a_work_canceled_while_its_model_is_loaded_never_starts() -> None:
    go_on = threading.Event()

    def load(name: str) -> Checkpoint:
        assert go_on.wait(10)
        return still_checkpoint(name)

    recorder = Recorder()
    engine = Engine(ModelCache(load, lambda name: 1, 1000), recorder)
    engine.admit(make_work())
    engine.step()
    engine.cancel("job")
    engine.step()
    assert recorder.canceled == ["job"]

    go_on.set()
    finish(engine)
    engine.close()
    assert recorder.ended == ["job"]


def test_a_loaded_model_is_given_back_when_nobody_waits_for_it_any_more() -> None:
    go_on = threading.Event()

    def load(name: str) -> Checkpoint:
        assert go_on.wait(10)
        return still_checkpoint(name)

    cache = ModelCache(load, lambda name: 1, 1000)
    engine = Engine(cache, Recorder())
    engine.admit(make_work())
    engine.step()
    engine.cancel("job")
    go_on.set()
    finish(engine)

    cache.evict_idle()
    engine.close()

    assert cache.resident() == ()
