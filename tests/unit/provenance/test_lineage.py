"""Pictures of ours that somebody else edited and signed."""

import io
import json

import c2pa
import numpy as np
import pytest

from darkroom.provenance import SigningIdentity, Stamped, State, Trust
from darkroom.provenance.verdict import DERIVED
from tests.unit.provenance.certificates import Authority
from tests.unit.provenance.house import House
from tests.unit.provenance.making import RGB, clouds, decoded, encoded, shapes

EDITED = {
    "claim_generator_info": [{"name": "An Editor", "version": "1"}],
    "format": "image/png",
    "assertions": [
        {
            "label": "c2pa.actions.v2",
            "created": True,
            "data": {"actions": [{"action": "c2pa.opened", "parameters": {"ingredientIds": ["parent"]}}]},
        }
    ],
}


@pytest.fixture(scope="module")
def editor() -> SigningIdentity:
    return Authority("Editors' Authority").signer("An Editor")


def edited(parent: bytes, rgb_HWC: RGB, editor: SigningIdentity) -> bytes:
    """These pixels, signed by another maker who says that they were made from `parent`."""
    info = c2pa.C2paSignerInfo(editor.algorithm, editor.chain_pem.encode(), editor.key_pem.encode(), None)
    signed, ingredient = io.BytesIO(), json.dumps({"title": "p", "relationship": "parentOf", "label": "parent"})
    with c2pa.Builder(EDITED, context=Trust.of(editor.anchor_pem).context()) as builder:
        builder.add_ingredient(ingredient, "image/png", io.BytesIO(parent))
        builder.sign(c2pa.Signer.from_info(info), "image/png", io.BytesIO(encoded(rgb_HWC)), signed)
    return signed.getvalue()


def with_a_corner_cut(stamped: Stamped) -> RGB:
    rgb = decoded(stamped.data).copy()
    rgb[:16, :16] = 0
    return rgb


async def test_an_edit_that_names_our_picture_is_unchanged_since_it_was_signed(
    house: House, editor: SigningIdentity
) -> None:
    stamped = await house.issue()
    data = edited(stamped.data, with_a_corner_cut(stamped), editor)
    verdict = await house.verify(data)
    assert verdict.state is State.INTACT_UNTRUSTED_SIGNER
    assert verdict.derived_from == stamped.manifest_id != verdict.manifest_id
    assert verdict.notes == (DERIVED,)
    assert verdict.signer is not None
    assert (verdict.signer.common_name, verdict.signer.trusted) == ("An Editor", False)


async def test_an_edit_of_an_edit_still_leads_back(house: House, editor: SigningIdentity) -> None:
    stamped = await house.issue()
    once = edited(stamped.data, with_a_corner_cut(stamped), editor)
    twice = await house.verify(edited(once, with_a_corner_cut(stamped), editor))
    assert (twice.state, twice.derived_from) == (State.INTACT_UNTRUSTED_SIGNER, stamped.manifest_id)


async def test_an_edit_that_names_another_picture_is_a_conflict(house: House, editor: SigningIdentity) -> None:
    stamped, other = await house.issue(), await house.issue(clouds(128, 128), "01OTHER")
    verdict = await house.verify(edited(other.data, with_a_corner_cut(stamped), editor))
    assert (verdict.state, verdict.derived_from) == (State.CONFLICT, None)


async def test_a_mark_copied_onto_another_picture_is_no_edit(house: House, editor: SigningIdentity) -> None:
    plain = shapes(128, 128)
    stamped = await house.issue(plain)
    residual = decoded(stamped.data).astype(int) - plain
    forged = np.clip(clouds(128, 128, seed=4) + 3 * residual, 0, 255).astype(np.uint8)
    verdict = await house.verify(edited(stamped.data, forged, editor))
    assert (verdict.state, verdict.derived_from) == (State.CONFLICT, None)


async def test_an_edit_of_a_picture_that_is_not_on_record_is_a_conflict(
    house: House, identity: SigningIdentity, editor: SigningIdentity
) -> None:
    stamped = await house.issue()
    verdict = await House(identity).verify(edited(stamped.data, with_a_corner_cut(stamped), editor))
    assert verdict.state is State.CONFLICT
