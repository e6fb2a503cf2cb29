"""Keys by epoch: what marks now, what is read still, and what is not."""

import hmac

import pytest

from darkroom.errors import ConfigurationError
from darkroom.provenance import TssWatermarker
from darkroom.provenance.tss.ring import KEYS_AN_EPOCH, Epochs, KeyRing, keys_of
from tests.unit.provenance.making import MARK_ID, SECRET, shapes

OTHER = bytes(range(32, 64))


def test_each_epoch_has_eight_keys_of_its_own() -> None:
    ids = [key.id for epoch in (1, 2, 3) for key in keys_of(SECRET, epoch)]
    assert len(set(ids)) == len(ids) == 3 * KEYS_AN_EPOCH


def test_derived_keys_are_pinned_since_pictures_are_read_by_them() -> None:
    assert [key.id for key in keys_of(SECRET, 1)[:2]] == ["cb23767c223f8ad6", "7adedf531286667b"]
    assert keys_of(SECRET, 0)[0].secret == SECRET


@pytest.mark.parametrize(
    ("epoch", "index", "expected"),
    [
        (1, 0, "cae2827de1e04184f715a74f9f147e4710f6c2d6e61206031b75a3f897b25867"),
        (1, 7, "1909e6ab247f10433ce4fa5cc27fe1e532c7cbd5c60e397ae1fd65007096ba98"),
        (2, 0, "3cffb45e9b6254603d2e2e5a38268dcdc066abe34f3a9a4a4a6b63587ed995a9"),
    ],
)
def test_a_derived_key_is_what_rfc_5869_makes_of_the_secret(epoch: int, index: int, expected: str) -> None:
    extracted = hmac.digest(bytes(32), bytes(range(32)), "sha256")
    assert hmac.digest(extracted, f"org.darkroom.tss.1/{epoch}/{index}".encode() + b"\1", "sha256").hex() == expected
    assert keys_of(bytes(range(32)), epoch)[index].secret.hex() == expected


def test_ids_take_turns_with_the_keys_of_the_newest_epoch() -> None:
    ring = KeyRing.of(SECRET, 2)
    used = [ring.marking(mark_id).id for mark_id in range(2 * KEYS_AN_EPOCH)]
    assert used == 2 * [key.id for key in keys_of(SECRET, 2)]


def test_the_newest_keys_are_read_by_first_and_the_secret_itself_last() -> None:
    ring = KeyRing.of(SECRET, 2, Epochs(OTHER, 1))
    expected = [*keys_of(SECRET, 2), *keys_of(SECRET, 1), *keys_of(SECRET, 0), *keys_of(OTHER, 1), *keys_of(OTHER, 0)]
    assert [key.id for key in ring.reading] == [key.id for key in expected]


@pytest.mark.parametrize(
    "then",
    [
        pytest.param(KeyRing.of(SECRET), id="before there were epochs"),
        pytest.param(KeyRing.of(SECRET, 1), id="an earlier epoch"),
        pytest.param(KeyRing.of(OTHER, 1), id="an earlier secret"),
        pytest.param(KeyRing.of(SECRET, 2), id="now"),
    ],
)
def test_what_was_marked_then_is_read_now(then: KeyRing) -> None:
    now = TssWatermarker(KeyRing.of(SECRET, 2, Epochs(OTHER, 2)))
    made = TssWatermarker(then).embed(shapes(256, 256), MARK_ID)
    mark = now.identify(made.rgb_HWC)
    assert mark is not None
    assert (mark.mark_id, mark.key_id) == (MARK_ID, made.key_id)
    assert made.key_id == then.marking(MARK_ID).id


@pytest.mark.slow
def test_keys_of_a_later_epoch_and_of_another_secret_are_not_read() -> None:
    now = TssWatermarker(KeyRing.of(SECRET, 1))
    for ring in (KeyRing.of(SECRET, 2), KeyRing.of(OTHER, 1)):
        assert now.identify(TssWatermarker(ring).embed(shapes(256, 256), MARK_ID).rgb_HWC) is None


def test_a_mark_whose_id_names_another_key_of_its_epoch_is_none() -> None:
    one, other = keys_of(SECRET, 1)[MARK_ID % KEYS_AN_EPOCH], keys_of(SECRET, 1)[(MARK_ID + 1) % KEYS_AN_EPOCH]
    assert one.marks(MARK_ID)
    assert not other.marks(MARK_ID)
    forged = TssWatermarker.of(other.secret).embed(shapes(256, 256), MARK_ID).rgb_HWC
    assert TssWatermarker(KeyRing.of(SECRET, 1)).identify(forged) is None


def test_no_secret_is_in_what_a_ring_prints() -> None:
    ring = KeyRing.of(SECRET, 1, Epochs(OTHER, 1))
    for text in (repr(ring), *(repr(key) for key in ring.reading)):
        assert SECRET.hex() not in text
        assert repr(SECRET)[2:20] not in text


def test_an_old_secret_too_short_to_be_one_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="16 bytes"):
        KeyRing.of(SECRET, 1, Epochs(bytes(15), 1))
