"""Which labels of an image classifier count, and what it says of pictures of any shape."""

from pathlib import Path

import numpy as np
import pytest
import torch

from darkroom.errors import ConfigurationError, SafetyUnavailable
from darkroom.settings import ClassifierPlace
from tests.unit.worker.safety.drawn import SIZES, noise
from tests.unit.worker.safety.folders import label_folder
from worker.safety.folder import open_classifier
from worker.safety.labels import LabelChecker, categories_of, likelihoods

CPU = torch.device("cpu")


def opened(folder: Path, **labels: str) -> LabelChecker:
    checker = open_classifier("mine", ClassifierPlace(path=folder, labels=labels), CPU)
    assert isinstance(checker, LabelChecker)
    return checker


@pytest.mark.parametrize(
    ("labels", "categories"),
    [
        (["normal", "nsfw"], [None, "sexual"]),
        (["SFW", "NSFW"], [None, "sexual"]),
        (["drawings", "hentai", "neutral", "porn", "sexy"], [None, "sexual", None, "sexual", None]),
    ],
)
def test_labels_of_well_known_classifiers_count_by_themselves(labels: list[str], categories: list[str | None]) -> None:
    assert categories_of(labels, {}) == categories


def test_labels_count_as_the_operator_says() -> None:
    assert categories_of(["a", "b", "sexy"], {"B": "gore", "sexy": "suggestive"}) == [None, "gore", "suggestive"]


@pytest.mark.parametrize(
    ("labels", "given", "words"),
    [
        (["LABEL_0", "LABEL_1"], {}, "'label_0' is not known here"),
        (["normal", "nsfw", "medical"], {}, "'medical' is not known here"),
        (["normal", "sfw"], {}, "none of its labels counts"),
        (["normal", "nsfw"], {"porn": "sexual"}, "no label 'porn', but normal, nsfw"),
    ],
)
def test_labels_that_would_count_too_little_stop_the_start(
    labels: list[str], given: dict[str, str], words: str
) -> None:
    with pytest.raises(ConfigurationError, match=words):
        categories_of(labels, given)


def test_labels_of_which_one_holds_share_their_likelihood(tmp_path: Path) -> None:
    checker = opened(label_folder(tmp_path, ("drawings", "hentai", "neutral", "porn", "sexy")))
    output, _ = checker._reader.read(noise(40, 40))
    shares = torch.softmax(output.logits[0], 0)
    assert checker.scores(noise(40, 40))["sexual"] == pytest.approx(float(shares[1] + shares[3]), abs=1e-6)


def test_labels_that_each_hold_or_not_have_likelihoods_of_their_own(tmp_path: Path) -> None:
    folder = label_folder(tmp_path, ("porn", "gore"), problem_type="multi_label_classification")
    output, _ = opened(folder)._reader.read(noise(40, 40))
    each = torch.sigmoid(output.logits[0]).tolist()
    assert opened(folder).scores(noise(40, 40)) == pytest.approx({"sexual": each[0], "violence": each[1]}, abs=1e-6)


def test_likelihoods_of_huge_logits_are_still_likelihoods() -> None:
    assert likelihoods(np.array([[1e30, -1e30]], np.float32), exclusive=True).tolist() == [1.0, 0.0]


def test_a_network_that_crops_is_shown_the_whole_picture_in_squares(tmp_path: Path) -> None:
    checker = opened(label_folder(tmp_path, crops=True))
    left, middle, right = (noise(32, 32, seed) for seed in range(3))
    alone = [checker.scores(part)["sexual"] for part in (left, middle, right)]
    wide = checker.scores(np.concatenate([left, middle, right], axis=1))["sexual"]
    assert wide == pytest.approx(max(alone), abs=1e-6)


@pytest.mark.parametrize("crops", [False, True])
@pytest.mark.parametrize(("height", "width"), SIZES)
def test_a_picture_of_any_size_is_scored(tmp_path: Path, height: int, width: int, crops: bool) -> None:
    scores = opened(label_folder(tmp_path, crops=crops)).scores(noise(height, width))
    assert scores.keys() == {"sexual"}
    assert 0 <= scores["sexual"] <= 1


def test_a_network_that_tells_no_numbers_is_safety_unavailable(tmp_path: Path) -> None:
    checker = opened(label_folder(tmp_path))
    torch.nn.init.constant_(checker._reader.network.classifier.weight, float("nan"))
    with pytest.raises(SafetyUnavailable):
        checker.scores(noise(40, 40))
