"""Erasing from a real store: what is listed there comes in its own order, and other pictures lie beside it."""

from dataclasses import replace

import pytest

from darkroom.provenance import Records, SigningIdentity, Stamper, development_pki
from darkroom.provenance.erasure import Erasure
from darkroom.settings import Settings
from darkroom.storage import open_store
from tests.servers.seaweedfs import S3Server
from tests.unit.provenance.making import SECRET, facts, shapes, watermarker

pytestmark = pytest.mark.slow


@pytest.fixture
def identity(tmp_path_factory: pytest.TempPathFactory) -> SigningIdentity:
    return development_pki(tmp_path_factory.mktemp("pki"))


async def test_a_record_is_erased_from_s3_with_all_of_its_manifests_and_no_others(
    seaweedfs: S3Server, identity: SigningIdentity
) -> None:
    store = open_store(Settings(**seaweedfs.settings()))
    records = Records(store, SECRET)
    stamper = Stamper(watermarker(), identity, records)
    one, other = [
        await stamper.issue(shapes(64, 64), replace(facts(job, width=64, height=64)), store, f"images/{job}/0")
        for job in ("01ERASED", "01KEPT")
    ]
    lost = one.record.model_copy(update={"manifest_id": "urn:c2pa:lost", "created_at": one.record.created_at - 86_400})
    await records.keep_manifest(lost, b"lost")
    forgotten = await Erasure(store, records).forget(int(one.watermark_id, 16))
    assert forgotten is not None
    assert forgotten.manifests == 2
    left = [key for folder in ("marks", "manifests", "expiring") for key in await store.keys(f"provenance/{folder}")]
    assert [key for key in left if one.watermark_id in key or "lost" in key or one.manifest_id[9:] in key] == []
    assert await records.find(int(other.watermark_id, 16)) == other.record
    assert await records.manifest(other.manifest_id) == other.manifest
    assert len([key for key in left if other.watermark_id in key or other.manifest_id[9:] in key]) == 3
    await store.close()
