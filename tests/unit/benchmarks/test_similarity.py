"""The benchmark of likeness counts what it says."""

import numpy as np
import pytest

from benchmarks import similarity
from benchmarks.marking.attacks import LISTED
from darkroom.provenance.similarity import SIMILAR
from tests.unit.provenance.making import clouds, shapes


def test_what_is_under_the_threshold_is_refused_and_what_is_not_is_let_in() -> None:
    told = similarity.figures(
        similarity.Compared({"nothing": [1.0, SIMILAR - 0.01], "beyond": [0.2]}, [SIMILAR, SIMILAR - 0.01])
    )
    assert (told["edited"], told["refused"], told["listed_refused"]) == (3, 2, 1)
    assert (told["listed_least"], told["edited_least"]) == (0.69, 0.2)
    assert (told["copied"], told["let_in"], told["copied_most"]) == (2, 1, 0.7)


def test_no_picture_that_constants_were_chosen_on_is_among_the_fresh_ones() -> None:
    hosts = [np.full((1, 1, 3), shade, np.uint8) for shade in range(similarity.CHOSEN_ON + 2)]
    parts = {name: [int(host[0, 0, 0]) for host in part] for name, part in similarity.split("model", hosts)}
    assert parts == {"model_chosen": list(range(similarity.CHOSEN_ON)), "model_fresh": [12, 13]}
    assert [name for name, _ in similarity.split("model", hosts[:3])] == ["model_chosen"]


@pytest.mark.slow
def test_edits_are_told_from_copies(capsys: pytest.CaptureFixture[str]) -> None:
    attacks = {name: LISTED[name] for name in ("nothing", "JPEG 50")}
    told = similarity.figures(similarity.compare("drawn", [shapes(256, 256), clouds(256, 256)], attacks))
    assert (told["edited"], told["refused"], told["let_in"]) == (4, 0, 0)
    assert told["copied"] >= 2
    assert "copied marks" in capsys.readouterr().out
