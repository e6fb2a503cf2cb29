"""Models in memory: within the budget, loaded once, never taken from under anybody."""

import threading
from collections.abc import Callable

import pytest

from darkroom.errors import BrokenWeights, OutOfMemory
from tests.unit.engine.networks import still_checkpoint
from worker.models.cache import ModelCache
from worker.models.checkpoint import Checkpoint

SIZES = {"a": 40, "b": 40, "c": 40, "huge": 101}


class Shelf:
    """Loads still checkpoints of `SIZES` bytes and writes down what it loaded."""

    def __init__(self, before: Callable[[str], None] = lambda name: None) -> None:
        self.loaded: list[str] = []
        self._before = before

    def load(self, name: str) -> Checkpoint:
        self._before(name)
        self.loaded.append(name)
        return still_checkpoint(name, size=SIZES[name])


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def cache(shelf: Shelf) -> ModelCache:
    return ModelCache(shelf.load, SIZES.__getitem__, 100)


def test_a_model_is_loaded_once_and_stays(cache: ModelCache, shelf: Shelf) -> None:
    with cache.lease("a") as first, cache.lease("a") as second:
        assert first.checkpoint is second.checkpoint
    with cache.lease("a"):
        pass

    assert shelf.loaded == ["a"]


def test_the_least_recently_used_makes_room(cache: ModelCache, shelf: Shelf) -> None:
    for name in ("a", "b", "a", "c"):
        cache.lease(name).release()

    assert cache.resident() == ("a", "c")


def test_a_model_in_use_is_never_evicted(cache: ModelCache) -> None:
    held = cache.lease("a")
    cache.lease("b").release()
    cache.lease("c").release()

    assert "a" in cache.resident()
    cache.evict_idle()
    assert cache.resident() == ("a",)

    held.release()
    cache.evict_idle()
    assert cache.resident() == ()


def test_a_lease_given_back_twice_counts_once(cache: ModelCache) -> None:
    first, second = cache.lease("a"), cache.lease("a")
    first.release()
    first.release()

    cache.evict_idle()

    assert cache.resident() == ("a",)
    second.release()


def test_no_room_beside_models_in_use_is_said_and_not_overrun(cache: ModelCache, shelf: Shelf) -> None:
    held = [cache.lease("a"), cache.lease("b")]

    assert [cache.fits(name) for name in ("a", "c", "huge")] == ["now", "later", "never"]
    with pytest.raises(OutOfMemory):
        cache.lease("c")

    held[0].release()
    assert cache.fits("c") == "now"
    cache.lease("c").release()
    assert cache.resident() == ("b", "c")


def test_a_load_that_fails_leaves_nothing_and_may_be_tried_again() -> None:
    broken = [True]

    def before(name: str) -> None:
        if broken.pop() if broken else False:
            raise BrokenWeights("unet/weights.safetensors", "truncated")

    cache = ModelCache(Shelf(before).load, SIZES.__getitem__, 100)

    with pytest.raises(BrokenWeights):
        cache.lease("a")
    assert cache.resident() == ()
    with cache.lease("a"):
        assert cache.resident() == ("a",)


def test_two_threads_that_want_one_model_load_it_once() -> None:
    loading, go_on = threading.Event(), threading.Event()

    def before(name: str) -> None:
        loading.set()
        assert go_on.wait(10)

    shelf = Shelf(before)
    cache = ModelCache(shelf.load, SIZES.__getitem__, 100)
    leases = []
    threads = [threading.Thread(target=lambda: leases.append(cache.lease("a"))) for _ in range(2)]
    for thread in threads:
        thread.start()
    assert loading.wait(10)

    assert cache.lease_loaded("a") is None
    go_on.set()
    for thread in threads:
        thread.join(10)

    assert shelf.loaded == ["a"]
    assert leases[0].checkpoint is leases[1].checkpoint


def test_a_model_being_loaded_counts_against_the_budget() -> None:
    loading, go_on = threading.Event(), threading.Event()

    def before(name: str) -> None:
        loading.set()
        assert go_on.wait(10)

    cache = ModelCache(Shelf(before).load, {"a": 60, "b": 60}.__getitem__, 100)
    thread = threading.Thread(target=lambda: cache.lease("a"))
    thread.start()
    assert loading.wait(10)

    assert cache.fits("b") == "later"
    go_on.set()
    thread.join(10)


def test_reserved_room_is_nobody_elses_before_the_loading_begins(cache: ModelCache, shelf: Shelf) -> None:
    cache.lease("a").release()
    cache.lease("b").release()

    load = cache.reserve("c")

    assert cache.resident() == ("b",)
    assert cache.fits("a") == "now"
    held = cache.lease("b")
    assert cache.fits("a") == "later"
    assert shelf.loaded == ["a", "b"]
    with load() as lease:
        assert lease.checkpoint.spec.name == "c"
    held.release()


def test_reserving_what_is_there_lends_it(cache: ModelCache, shelf: Shelf) -> None:
    cache.lease("a").release()

    with cache.reserve("a")():
        pass

    assert shelf.loaded == ["a"]
