"""LoRAs on their way through the engine: loaded beside it, kept within a budget, refused alone."""

import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from darkroom.contract.plan import PlannedLora
from darkroom.errors import BrokenWeights, MissingWeights
from tests.unit.engine.checkpoints import CPU
from tests.unit.engine.loras import (
    ATTENTION,
    load,
    planned,
    random_halves,
    sha256,
    write_kohya,
)
from tests.unit.engine.works import Recorder, cache_of, finish, make_work
from worker.engine import Engine, Work
from worker.models.checkpoint import Checkpoint
from worker.models.lora import Lora, Pair, load_lora
from worker.models.lora_cache import LoraCache


@pytest.fixture
def file(epsilon: Checkpoint, tmp_path: Path) -> Path:
    return write_kohya(tmp_path / "style.safetensors", random_halves(epsilon, ATTENTION, 2, seed=1), alpha=2.0)


def of_files(*files: Path) -> Callable[[PlannedLora], Lora]:
    by_hash = {sha256(file): file for file in files}
    return lambda wanted: load_lora(by_hash[wanted.sha256], wanted.sha256, CPU, torch.float32)


def run(checkpoint: Checkpoint, works: list[Work], cache: LoraCache) -> Recorder:
    recorder = Recorder()
    engine = Engine(cache_of(checkpoint), recorder, loras=cache)
    for work in works:
        engine.admit(work)
    finish(engine)
    engine.close()
    return recorder


def test_a_request_with_a_lora_is_made_and_differs(epsilon: Checkpoint, file: Path) -> None:
    works = [make_work("plain"), make_work("styled", loras=(planned(file, 2.0),))]

    told = run(epsilon, works, LoraCache(of_files(file), 1 << 20))

    assert told.failures == {}
    assert not np.array_equal(told.images["plain"][0], told.images["styled"][0])


def damaged(file: Path, value: float) -> Path:
    tensors = load_file(file)
    name = sorted(name for name in tensors if "lora_up" in name)[3]
    tensors[name][0, 0] = value
    broken = file.with_name("broken.safetensors")
    save_file(tensors, broken)
    return broken


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_lora_with_values_that_are_no_numbers_fails_its_own_request_alone(
    epsilon: Checkpoint, file: Path, value: float
) -> None:
    broken = damaged(file, value)
    works = [make_work("bad", loras=(planned(broken),)), make_work("good", loras=(planned(file),))]

    told = run(epsilon, works, LoraCache(of_files(file, broken), 1 << 20))

    assert list(told.images) == ["good"]
    assert isinstance(told.failures["bad"], BrokenWeights)
    assert "broken.safetensors" in told.failures["bad"].detail
    assert "finite" in told.failures["bad"].detail


def test_numbers_too_large_for_half_precision_are_refused(file: Path) -> None:
    large = damaged(file, 1e6)

    load(large)
    with pytest.raises(BrokenWeights, match="finite"):
        load_lora(large, sha256(large), CPU, torch.float16)


def test_a_file_replaced_after_the_catalog_was_read_is_refused(file: Path) -> None:
    before = sha256(file)
    file.write_bytes(damaged(file, 0.0).read_bytes())

    with pytest.raises(BrokenWeights, match="catalog"):
        load_lora(file, before, CPU, torch.float32)


def test_a_file_that_is_gone_is_named_without_its_folder(file: Path) -> None:
    before = sha256(file)
    file.unlink()

    with pytest.raises(MissingWeights, match=r"^style.safetensors: no such file$"):
        load_lora(file, before, CPU, torch.float32)


def test_a_lora_of_another_model_fails_its_own_request_alone(
    epsilon: Checkpoint, embedded: Checkpoint, tmp_path: Path
) -> None:
    foreign = write_kohya(tmp_path / "f.safetensors", random_halves(embedded, ATTENTION, 2, seed=1), alpha=2.0)
    works = [make_work("bad", loras=(planned(foreign),)), make_work("good")]

    told = run(epsilon, works, LoraCache(of_files(foreign), 1 << 20))

    assert list(told.images) == ["good"]
    assert isinstance(told.failures["bad"], BrokenWeights)


def test_an_engine_without_loras_says_so(epsilon: Checkpoint) -> None:
    recorder = Recorder()
    engine = Engine(cache_of(epsilon), recorder)
    engine.admit(make_work(loras=(PlannedLora(model="style", sha256="ab" * 32, weight=1.0),)))
    finish(engine)
    engine.close()

    assert isinstance(recorder.failures["job"], MissingWeights)


def test_the_engine_steps_on_while_a_lora_is_loaded(epsilon: Checkpoint, file: Path) -> None:
    go_on = threading.Event()

    def slowly(wanted: PlannedLora) -> Lora:
        assert go_on.wait(10)
        return load(file)

    recorder = Recorder()
    engine = Engine(cache_of(epsilon), recorder, loras=LoraCache(slowly, 1 << 20))
    engine.admit(make_work("styled", loras=(planned(file),)))
    engine.admit(make_work("plain"))
    while "plain" not in recorder.ended:
        engine.step()
    assert recorder.ended == ["plain"]
    go_on.set()
    finish(engine)
    engine.close()

    assert recorder.ended == ["plain", "styled"]


def test_a_request_that_waits_for_its_lora_can_be_canceled(epsilon: Checkpoint, file: Path) -> None:
    go_on = threading.Event()

    def slowly(wanted: PlannedLora) -> Lora:
        assert go_on.wait(10)
        return load(file)

    recorder = Recorder()
    engine = Engine(cache_of(epsilon), recorder, loras=LoraCache(slowly, 1 << 20))
    engine.admit(make_work("styled", loras=(planned(file),)))
    engine.step()
    engine.cancel("styled")
    engine.step()
    go_on.set()
    finish(engine)
    engine.close()

    assert recorder.ended == recorder.canceled == ["styled"]
    assert engine.in_flight() == ()


def small(wanted: PlannedLora) -> Lora:
    pair = Pair(torch.zeros(1, 5), torch.zeros(5, 1))
    return Lora(wanted.sha256, {("unet", "x"): pair}, 40)


def named(name: str) -> PlannedLora:
    return PlannedLora(model=name, sha256=name, weight=1.0)


def test_the_least_recently_used_lora_makes_room() -> None:
    cache = LoraCache(small, 100)
    for name in ("a", "b", "a", "c"):
        cache.fetch(named(name)).result(10)
    cache.close()

    assert cache.resident() == ("a", "c")


def test_a_lora_is_loaded_once_under_whatever_names() -> None:
    loaded: list[str] = []

    def load(wanted: PlannedLora) -> Lora:
        loaded.append(wanted.model)
        return small(wanted)

    cache = LoraCache(load, 100)
    first, second = PlannedLora(model="a", sha256="x", weight=1.0), PlannedLora(model="b", sha256="x", weight=0.5)
    fetches = [cache.fetch(first), cache.fetch(second)]

    assert fetches[0].result(10) is fetches[1].result(10) is cache.fetch(second).result(10)
    assert loaded == ["a"]
    cache.close()


def test_a_load_that_failed_is_tried_again() -> None:
    broken = [True]

    def load(wanted: PlannedLora) -> Lora:
        if broken.pop() if broken else False:
            raise BrokenWeights("a.safetensors", "truncated")
        return small(wanted)

    cache = LoraCache(load, 100)
    with pytest.raises(BrokenWeights):
        cache.fetch(named("a")).result(10)

    assert cache.fetch(named("a")).result(10).sha256 == "a"
    cache.close()


def test_running_out_of_memory_lets_go_of_loras(epsilon: Checkpoint) -> None:
    cache = LoraCache(small, 100)
    cache.fetch(named("a")).result(10)
    engine = Engine(cache_of(epsilon), Recorder(), loras=cache)

    engine._memory.free()

    assert cache.resident() == ()
    engine.close()
