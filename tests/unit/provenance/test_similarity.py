"""Is this the picture that was marked?"""

from collections.abc import Callable

import numpy as np
import pytest

from darkroom.provenance.placement import Placement
from darkroom.provenance.similarity import SIDE, SIMILAR, likeness, thumbnail, upright_view
from tests.unit.provenance.making import DRAWN, RGB, clouds, cropped, decoded, resized, saved_as, shapes

KEPT: dict[str, tuple[Placement, Callable[[RGB], RGB]]] = {
    "itself": (Placement(), lambda rgb: rgb),
    "JPEG 30": (Placement(), lambda rgb: saved_as(rgb, "JPEG", 30)),
    "half the size": (Placement(), lambda rgb: resized(rgb, 0.5)),
    "darker": (Placement(), lambda rgb: (rgb * 0.7).astype(np.uint8)),
    "a crop": (Placement(zoom=1 / 0.7), lambda rgb: cropped(rgb, 0.3)),
    "a turn": (Placement(quarter_turns=3), lambda rgb: np.rot90(rgb)),
    "a flip": (Placement(mirrored=True), lambda rgb: rgb[:, ::-1]),
}


def likeness_of(rgb_HWC: RGB, placement: Placement, thumbnail_webp: bytes) -> float:
    return likeness(upright_view(rgb_HWC, placement), thumbnail_webp)


@pytest.mark.parametrize("change", KEPT)
@pytest.mark.parametrize("kind", DRAWN)
def test_a_picture_is_like_itself_after_what_was_undone(kind: str, change: str) -> None:
    picture = DRAWN[kind](200, 260)
    placement, changed = KEPT[change]
    assert likeness_of(np.ascontiguousarray(changed(picture)), placement, thumbnail(picture)) > SIMILAR + 0.1


@pytest.mark.parametrize("kind", DRAWN)
def test_a_cut_of_half_whose_mark_tells_half_the_zoom_is_like_the_whole(kind: str) -> None:
    picture = DRAWN[kind](512, 512)
    assert likeness_of(picture[100:356, 60:316], Placement(zoom=1.0), thumbnail(picture)) > SIMILAR


def test_a_picture_with_a_banner_laid_over_it_is_like_itself() -> None:
    picture = clouds(256, 256)
    covered = picture.copy()
    covered[208:] = 255
    covered[8:56, 8:72] = 0
    assert likeness_of(covered, Placement(), thumbnail(picture)) > SIMILAR + 0.1


@pytest.mark.parametrize("seed", range(1, 9))
def test_another_picture_is_not_alike(seed: int) -> None:
    for draw in (shapes, clouds):
        assert likeness_of(draw(200, 260, seed), Placement(), thumbnail(clouds(200, 260))) < SIMILAR


@pytest.mark.parametrize(("level", "alike"), [(128, True), (135, True), (200, False), (0, False)])
def test_pictures_of_nothing_are_as_alike_as_they_are_bright(level: int, alike: bool) -> None:
    grey = np.full((128, 128, 3), 128, np.uint8)
    seen = likeness_of(np.full((128, 128, 3), level, np.uint8), Placement(), thumbnail(grey))
    assert (seen >= SIMILAR) is alike


def test_a_picture_of_nothing_is_not_like_a_picture_of_something() -> None:
    grey = np.full((128, 128, 3), 128, np.uint8)
    assert likeness_of(grey, Placement(), thumbnail(clouds(128, 128))) < SIMILAR
    assert likeness_of(clouds(128, 128), Placement(), thumbnail(grey)) < SIMILAR


@pytest.mark.parametrize("size", [(64, 64), (64, 640), (1024, 96), (300, 200)])
def test_a_thumbnail_is_small_and_grey(size: tuple[int, int]) -> None:
    data = thumbnail(shapes(*size))
    seen = decoded(data)
    assert min(seen.shape[:2]) == SIDE
    assert np.array_equal(seen[..., 0], seen[..., 2])
    assert len(data) < 8192


@pytest.mark.parametrize(
    "placement", [Placement(zoom=1.9), Placement(aspect=16 / 9), Placement(degrees=3), Placement()]
)
@pytest.mark.parametrize("size", [(32, 1000), (1000, 32), (64, 64), (8, 200)])
def test_no_placement_and_no_shape_break_it(size: tuple[int, int], placement: Placement) -> None:
    assert -1.01 <= likeness_of(shapes(*size), placement, thumbnail(clouds(128, 200))) <= 1.01
