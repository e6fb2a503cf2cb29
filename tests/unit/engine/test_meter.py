"""What the engine says of its time: how full passes are, and when the device has nothing to do."""

import threading

import pytest
import torch

from darkroom.contract.plan import PlannedLora
from darkroom.errors import BrokenWeights
from darkroom.metrics import Metrics
from tests.unit.engine.metering import Passes
from tests.unit.engine.networks import still_checkpoint
from tests.unit.engine.works import Recorder, cache_of, finish, make_work
from worker.engine import Engine
from worker.models.cache import ModelCache
from worker.models.checkpoint import Checkpoint
from worker.models.lora import Lora, Pair
from worker.models.lora_cache import LoraCache


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(f"darkroom_{name}", labels)


def test_a_pass_is_told_with_the_rows_it_had_room_for() -> None:
    meter = Passes()
    engine = Engine(cache_of(still_checkpoint()), Recorder(), max_rows=8, meter=meter)
    engine.admit(make_work(steps=2, seeds=(1, 2)))
    finish(engine)
    engine.close()
    assert [(each.rows, each.possible) for each in meter.told] == [(4, 8), (4, 8)]


def test_waiting_for_work_is_idleness_and_steps_are_none() -> None:
    meter = Passes()
    engine = Engine(cache_of(still_checkpoint()), Recorder(), meter=meter)
    engine.admit(make_work(steps=2))
    finish(engine)
    assert meter.naps["work"] == 0
    loading = meter.naps["loading"]
    meter.napped.clear()
    stop = threading.Event()
    thread = threading.Thread(target=engine.run, args=(stop,))
    thread.start()
    assert meter.napped.wait(10)
    stop.set()
    thread.join(10)
    engine.close()
    assert meter.idle["work"] > 0.1
    assert meter.naps["loading"] == loading


def test_waiting_for_weights_is_idleness_of_another_kind() -> None:
    go_on = threading.Event()

    def load(name: str) -> Checkpoint:
        go_on.wait(10)
        return still_checkpoint(name)

    meter = Passes()
    engine = Engine(ModelCache(load, lambda name: 1, 1000), Recorder(), meter=meter)
    engine.admit(make_work(steps=1))
    engine.step()
    assert meter.idle["loading"] > 0.1
    go_on.set()
    finish(engine)
    engine.close()
    assert meter.naps["work"] == 0


def test_a_cache_counts_what_was_there_what_was_brought_and_what_it_holds() -> None:
    metrics = Metrics()
    sizes = {"a": 40, "b": 40, "c": 40}

    def load(name: str) -> Checkpoint:
        if name == "broken":
            raise BrokenWeights(name, "truncated")
        return still_checkpoint(name, size=sizes[name])

    cache = ModelCache(load, lambda name: sizes.get(name, 1), 100, metrics.cache("models"))
    for name in ("a", "a", "b"):
        cache.lease(name).release()
    assert value(metrics, "cache_hits_total", cache="models") == 1
    assert value(metrics, "cache_load_duration_seconds_count", cache="models") == 2
    assert value(metrics, "cache_size_bytes", cache="models") == 80
    cache.lease("c").release()
    assert value(metrics, "cache_size_bytes", cache="models") == 80, "one made room"
    with pytest.raises(BrokenWeights):
        cache.lease("broken")
    assert value(metrics, "cache_load_duration_seconds_count", cache="models") == 3, "nothing was brought in"
    cache.evict_idle()
    assert value(metrics, "cache_size_bytes", cache="models") == 0


def test_a_cache_of_loras_counts_likewise() -> None:
    metrics = Metrics()

    def load(wanted: PlannedLora) -> Lora:
        return Lora(wanted.sha256, {("unet", "x"): Pair(torch.zeros(1, 5), torch.zeros(5, 1))}, 40)

    cache = LoraCache(load, 100, metrics.cache("loras"))
    for name in ("a", "a", "b", "c"):
        cache.fetch(PlannedLora(model=name, sha256=name, weight=1.0)).result(10)
    cache.close()
    assert value(metrics, "cache_hits_total", cache="loras") == 1
    assert value(metrics, "cache_load_duration_seconds_count", cache="loras") == 3
    assert value(metrics, "cache_size_bytes", cache="loras") == 80
    cache.evict()
    assert value(metrics, "cache_size_bytes", cache="loras") == 0
