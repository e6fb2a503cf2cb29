"""The data set and the checker that reads it back."""

import random

import numpy as np
import pytest

from training.captions import caption
from training.checker import check
from training.scenes import HELD_OUT_PAIRS, KIND_SHARES, is_held_out, render, sample_scene

pytestmark = pytest.mark.slow


def test_the_same_seed_draws_the_same_picture_and_caption() -> None:
    first, second = random.Random(7), random.Random(7)
    for _ in range(20):
        scene, again = sample_scene(first), sample_scene(second)
        assert scene == again
        assert np.array_equal(render(first, scene), render(second, again))
        assert caption(first, scene) == caption(second, again)


@pytest.mark.parametrize("kind", list(KIND_SHARES))
def test_the_checker_reads_ground_truth(kind: str) -> None:
    rng = random.Random(3)
    scenes = [sample_scene(rng, kind) for _ in range(60)]
    assert sum(check(render(rng, scene), scene) for scene in scenes) >= 0.99 * len(scenes)


def test_the_checker_refuses_a_picture_of_another_scene() -> None:
    rng = random.Random(4)
    shown, asked = sample_scene(rng, "single"), sample_scene(rng, "relation")
    assert not check(render(rng, shown), asked)


def test_training_never_draws_what_is_held_out() -> None:
    rng = random.Random(5)
    scenes = [sample_scene(rng) for _ in range(500)]
    assert not any(is_held_out(scene) for scene in scenes)
    assert not any(thing.pair in HELD_OUT_PAIRS for scene in scenes for thing in scene.things)


def test_a_full_caption_names_every_colour_and_the_background() -> None:
    rng = random.Random(6)
    for _ in range(100):
        scene = sample_scene(rng, "relation")
        words = caption(rng, scene, full=True)
        assert all(name in words for name in (scene.background, *(thing.colour for thing in scene.things)))
