"""What a mark must stand out by: no more is read by chance however many keys are tried."""

from itertools import pairwise

import numpy as np
import pytest

from darkroom.provenance.tss import identify as identifying
from darkroom.provenance.tss import reading, search
from darkroom.provenance.tss.carrier import carrier
from darkroom.provenance.tss.gates import (
    DIRECT_LOOKS,
    LOWEST,
    MOST_BY_CHANCE,
    SEARCHED_LOOKS,
    SECOND_LOOKS,
    Gates,
    chance_of_a_mark,
    gates_for,
)
from darkroom.provenance.tss.identify import identify
from darkroom.provenance.tss.luma import Luma, luma
from darkroom.provenance.tss.reading import Look
from darkroom.provenance.tss.ring import Epochs, KeyRing
from darkroom.provenance.tss.spectrum import harmonics, spectra, sync_at_origin
from darkroom.provenance.tss.tiling import residual
from tests.unit.provenance.making import SECRET, clouds, shapes


@pytest.mark.parametrize("epochs", [1, 2, 3, 27, 202])
def test_unmarked_pictures_are_read_as_marked_no_more_often_however_many_keys_are_tried(epochs: int) -> None:
    assert 0.5 * MOST_BY_CHANCE < chance_of_a_mark(epochs, gates_for(epochs)) <= MOST_BY_CHANCE * (1 + 1e-6)


def test_the_chance_is_counted_as_it_is_told() -> None:
    """Q(2.5) = 6.21e-3, Q(4.5) = 3.40e-6 and Q(6) = 9.87e-10 are those of tables."""
    decoded = 3 * 6.21e-3 + 36 * 3.40e-6 + 1150 * 4096 * 9.87e-10
    assert chance_of_a_mark(27, LOWEST) == pytest.approx(27 * decoded / 65536, rel=2e-3)


def test_gates_rise_with_every_epoch_and_never_lie_below_those_that_marks_are_made_by() -> None:
    assert Gates(2.5, 4.5, 6.0) == LOWEST
    for fewer, more in pairwise(gates_for(epochs) for epochs in range(1, 203)):
        assert LOWEST.direct < fewer.direct < more.direct
        assert LOWEST.second_look <= fewer.second_look <= more.second_look
        assert LOWEST.search <= fewer.search <= more.search


def test_the_gate_of_the_search_stays_where_it_was_for_a_young_installation() -> None:
    assert gates_for(3).search == LOWEST.search
    assert gates_for(27).search < 6.4


def test_a_ring_counts_epochs_of_secrets_and_not_keys() -> None:
    assert KeyRing.of(SECRET).gates == gates_for(1)
    assert KeyRing.of(SECRET, 2).gates == gates_for(3)
    assert KeyRing.of(SECRET, 2, Epochs(bytes(32), 1)).gates == gates_for(5)
    assert KeyRing.of(SECRET, 2, Epochs(SECRET, 1)).gates == gates_for(3)


def test_the_sync_of_other_keys_is_normal_as_the_bound_takes_it_to_be() -> None:
    looks = [harmonics(residual(luma(draw(256, 256)), 256 / tiles)) for draw in (clouds, shapes) for tiles in (2, 1)]
    others = [carrier(number.to_bytes(32, "big")) for number in range(250)]
    strengths = np.array([sync_at_origin(seen, other) for seen in looks for other in others])
    assert strengths.mean() == pytest.approx(0, abs=0.15)
    assert strengths.std() == pytest.approx(1, abs=0.1)
    assert (strengths > 2).mean() < 0.0228 + 3 * (0.0228 / len(strengths)) ** 0.5


@pytest.mark.slow
@pytest.mark.parametrize(("height", "width"), [(64, 64), (160, 240), (500, 400), (700, 1200)])
def test_no_picture_is_looked_at_more_often_than_the_bound_counts(
    height: int, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    searched: list[int] = []
    whole: list[float] = []

    def counted(residuals: list[Luma]) -> np.ndarray:
        seen_Zn = spectra(residuals)
        searched.append(len(seen_Zn))
        return seen_Zn

    def read_whole(look: Look, carriers: object, gate: float) -> None:
        whole.append(gate)

    monkeypatch.setattr(search, "spectra", counted)
    monkeypatch.setattr(reading, "spectra", counted)
    monkeypatch.setattr(identifying, "read_whole", read_whole)
    gates = gates_for(3)
    assert identify(luma(shapes(height, width)), [carrier(SECRET)], gates) is None
    assert 0 < sum(searched) <= SEARCHED_LOOKS
    assert 0 < whole.count(gates.direct) <= DIRECT_LOOKS
    assert 0 < whole.count(gates.second_look) <= SECOND_LOOKS
    assert set(whole) == {gates.direct, gates.second_look}
