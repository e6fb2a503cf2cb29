"""Stable Diffusion's own safety checker: scored where diffusers paints pictures black, and no picture is painted."""

from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers.pipelines.stable_diffusion.safety_checker import StableDiffusionSafetyChecker
from transformers import CLIPImageProcessor

from darkroom.errors import SafetyUnavailable
from darkroom.settings import ClassifierPlace
from tests.unit.worker.safety.drawn import SIZES, noise, shapes
from tests.unit.worker.safety.folders import SIDE, as_published, concept_folder
from worker.safety.concepts import ConceptChecker
from worker.safety.folder import open_classifier

CPU = torch.device("cpu")


def opened(folder: Path) -> ConceptChecker:
    checker = open_classifier("sd", ClassifierPlace(path=folder), CPU)
    assert isinstance(checker, ConceptChecker)
    return checker


def painted_black(folder: Path, rgb_HWC: np.ndarray) -> bool:
    """What diffusers does, by its own code."""
    network = StableDiffusionSafetyChecker.from_pretrained(folder)
    clip_input = CLIPImageProcessor(size={"shortest_edge": SIDE}, crop_size=SIDE)(rgb_HWC, return_tensors="pt")
    _, (black,) = network(clip_input=clip_input.pixel_values, images=[rgb_HWC.copy()])
    return bool(black)


@pytest.mark.filterwarnings("ignore:Potential NSFW")
def test_the_default_threshold_flags_what_diffusers_paints_black(tmp_path: Path) -> None:
    seen = set()
    for seed in range(5):
        folder = concept_folder(tmp_path / str(seed), seed)
        checker = opened(folder)
        for picture in (noise(48, 48, seed), shapes(40, 40, seed)):
            flagged = checker.scores(picture)["sexual"] >= 0.8
            assert flagged == painted_black(folder, picture)
            seen.add(flagged)
    assert seen == {True, False}


def test_checkpoints_as_they_were_published_load(tmp_path: Path) -> None:
    new = opened(concept_folder(tmp_path / "new")).scores(noise(40, 40))
    assert opened(as_published(concept_folder(tmp_path / "old"))).scores(noise(40, 40)) == new


def test_the_picture_is_left_as_it_is(tmp_path: Path) -> None:
    checker = opened(concept_folder(tmp_path))
    picture = noise(40, 40)
    checker.scores(picture)
    np.testing.assert_array_equal(picture, noise(40, 40))


def test_what_stands_beside_the_middle_is_seen(tmp_path: Path) -> None:
    checker = opened(concept_folder(tmp_path))
    left, middle, right = (noise(32, 32, seed) for seed in range(3))
    wide = np.concatenate([left, middle, right], axis=1)
    alone = max(checker.overshoot(part) for part in (left, middle, right))
    assert checker.scores(wide)["sexual"] == pytest.approx(min(max(0.8 + 10 * (alone - 0.001), 0), 1), abs=1e-3)


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_a_picture_of_any_size_is_scored(tmp_path: Path, height: int, width: int) -> None:
    assert 0 <= opened(concept_folder(tmp_path)).scores(noise(height, width))["sexual"] <= 1


def test_a_network_that_tells_no_numbers_is_safety_unavailable(tmp_path: Path) -> None:
    checker = opened(concept_folder(tmp_path))
    torch.nn.init.constant_(checker._network.visual_projection.weight, float("nan"))
    with pytest.raises(SafetyUnavailable):
        checker.scores(noise(40, 40))
