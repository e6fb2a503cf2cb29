import io
import json
from typing import Any

import c2pa
import pytest

from darkroom.errors import StoreError
from darkroom.provenance import SigningIdentity, Trust
from darkroom.provenance.manifest_store import only_active
from darkroom.provenance.signing import native_signer
from tests.unit.provenance.house import House
from tests.unit.provenance.making import encoded, shapes

SIGNATURE = b"c2cs"  # of the box that a manifest's signature lies in
SOURCE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"


def read(store: bytes, identity: SigningIdentity) -> Any:
    with c2pa.Reader("application/c2pa", io.BytesIO(store), context=Trust.of(identity.anchor_pem).context()) as reader:
        return json.loads(reader.json())


async def test_the_active_manifest_alone_is_the_last_of_the_store(identity: SigningIdentity) -> None:
    parent = await House(identity).issue()
    made = {"action": "c2pa.created", "digitalSourceType": SOURCE}
    definition = {"assertions": [{"label": "c2pa.actions.v2", "data": {"actions": [made]}}]}
    with c2pa.Builder(definition, context=Trust.of(identity.anchor_pem).context()) as builder:
        builder.add_ingredient({"relationship": "inputTo"}, "image/png", io.BytesIO(parent.data))
        store = builder.sign(native_signer(identity), "image/png", io.BytesIO(encoded(shapes(64, 64))), io.BytesIO())
    whole = read(store, identity)
    assert set(whole["manifests"]) == {parent.manifest_id, whole["active_manifest"]}

    alone = only_active(store)

    assert len(alone) < len(store) - 1000
    assert whole["active_manifest"].encode() in alone
    assert (store.count(SIGNATURE), alone.count(SIGNATURE)) == (2, 1)
    assert only_active(alone) == alone


@pytest.mark.parametrize("damaged", [b"", b"junk", b"\0\0\0\x20jumbshort", b"\0\0\0\x08jumb", b"\0\0\0\x08free"])
def test_what_is_no_store_is_said_to_be_damaged(damaged: bytes) -> None:
    with pytest.raises(StoreError):
        only_active(damaged)
