"""How long each stage of finishing a picture takes is told, also where one of them fails."""

import pytest

from darkroom.errors import UnmarkedOutput
from darkroom.metrics import Metrics
from darkroom.provenance import Records, SigningIdentity, Stamper
from darkroom.storage import MemoryStore
from tests.unit.provenance.making import SECRET, facts, shapes, watermarker


def stages(metrics: Metrics) -> dict[str, float]:
    (family,) = [each for each in metrics.registry.collect() if each.name == "darkroom_finish_stage_duration_seconds"]
    return {each.labels["stage"]: each.value for each in family.samples if each.name.endswith("_count")}


def stamper(identity: SigningIdentity, metrics: Metrics, store: MemoryStore) -> Stamper:
    return Stamper(watermarker(), identity, Records(store, SECRET), stage=metrics.stage)


async def test_a_picture_passes_each_stage_once(identity: SigningIdentity) -> None:
    metrics, store = Metrics(), MemoryStore()
    await stamper(identity, metrics, store).issue(shapes(128, 128), facts(), store, "images/a/0")
    assert stages(metrics) == {"watermark": 1, "encode": 1, "sign": 1, "read_back": 1, "store": 1}


async def test_a_picture_that_does_not_read_back_is_told_up_to_there(
    identity: SigningIdentity, monkeypatch: pytest.MonkeyPatch
) -> None:
    metrics, store = Metrics(), MemoryStore()
    made = stamper(identity, metrics, store)
    monkeypatch.setattr(made._watermarker, "identify", lambda rgb_HWC: None)
    with pytest.raises(UnmarkedOutput):
        await made.issue(shapes(128, 128), facts(), store, "images/a/0")
    assert stages(metrics) == {"watermark": 1, "encode": 1, "sign": 1, "read_back": 1}
