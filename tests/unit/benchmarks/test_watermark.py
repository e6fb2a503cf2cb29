"""The benchmark of the watermark: attacks that do what they are named for, and figures that can be bad."""

import json
import sys
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks import watermark
from benchmarks.marking import adversary, peers
from benchmarks.marking.attacks import BEYOND, LISTED, RGB
from benchmarks.marking.pictures import photographs
from darkroom.provenance import TssWatermarker
from darkroom.provenance.tss.carrier import carrier
from tests.unit.provenance.making import SECRET, clouds, psnr


class Fragile:
    """Marks nothing, and reads only what is larger than half of what it was."""

    def embed(self, rgb_HWC: RGB) -> RGB:
        return rgb_HWC

    def reads(self, rgb_HWC: RGB) -> bool:
        return min(rgb_HWC.shape[:2]) > 32


@pytest.mark.parametrize("name", [*LISTED, *BEYOND])
def test_an_attack_changes_a_picture_the_same_way_twice(name: str) -> None:
    attack, picture = (LISTED | BEYOND)[name], clouds(64, 96)
    before = picture.copy()
    changed = attack(picture)
    assert (changed.dtype, changed.ndim, changed.shape[2]) == (np.uint8, 3, 3)
    assert np.array_equal(changed, attack(before))
    assert np.array_equal(picture, before)
    assert np.array_equal(changed, picture) == (name in ("nothing", "PNG"))


def test_twenty_eight_attacks_are_listed_and_none_of_them_twice() -> None:
    assert len(LISTED) == 28
    assert not LISTED.keys() & BEYOND.keys()


def test_harder_attacks_of_a_kind_leave_less() -> None:
    picture = clouds(128, 128)
    for kind in ("JPEG", "WebP", "resize"):
        left = [psnr(LISTED[name](picture), picture) for name in LISTED if name.startswith(kind) and name[-3:] != "0 %"]
        assert all(softer > harder for softer, harder in pairwise(left)), kind


def test_recovery_is_the_share_of_listed_attacks_that_a_mark_survives() -> None:
    told: dict[str, float] = {}
    watermark._survival("photographs", Fragile(), [clouds(64, 64)], LISTED | BEYOND, told)
    assert told == {"recovery": round(27 / 28, 4), "recovery_worst": 0}


def test_unmarked_pictures_are_of_many_sizes_and_the_same_each_time() -> None:
    seen = list(watermark._unmarked([clouds(128, 128)], 6))
    assert len({picture.shape for picture in seen}) > 3
    assert all(np.array_equal(*pair) for pair in zip(seen, watermark._unmarked([clouds(128, 128)], 6), strict=True))


def test_each_unmarked_picture_is_looked_at_by_one_process_and_by_all_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at: list[RGB] = []
    ring: list[int] = []

    def found(marks: TssWatermarker, picture: RGB) -> None:
        looked_at.append(picture)
        ring.append(len(marks._ring.reading))

    monkeypatch.setattr(TssWatermarker, "identify", found)
    hosts = [clouds(128, 128)]
    assert sum(watermark._found_in_part(hosts, 20, part) for part in range(watermark.PARTS)) == 0
    assert {picture.tobytes() for picture in looked_at} == {each.tobytes() for each in watermark._unmarked(hosts, 20)}
    assert (len(looked_at), set(ring)) == (20, {25})


def test_photographs_are_cut_square(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "wide.png"), clouds(40, 90))
    (tmp_path / "wheels").mkdir()
    assert [picture.shape for picture in photographs([tmp_path], 32)] == [(32, 32, 3)]


def test_a_peer_reads_only_pictures_in_which_all_bits_are_right() -> None:
    peer = object.__new__(peers.Peer)
    peer.method, peer._bits = "dwtDct", np.array([0, 1, 1], np.uint8)
    peer._decoder = type("Decoder", (), {"decode": lambda _self, bgr, _method: [bgr[0, 0, 0] > 9, True, 1.0]})()
    assert peer.reads(np.zeros((256, 256, 3), np.uint8))
    assert not peer.reads(np.full((256, 256, 3), 10, np.uint8))
    assert not peer.reads(np.zeros((255, 256, 3), np.uint8))


@pytest.mark.slow
def test_an_adversary_with_pictures_of_one_key_takes_the_mark_from_others_and_copies_it() -> None:
    hosts, ring = [clouds(384, 384, seed) for seed in range(9)], [carrier(SECRET)]
    marked = adversary.marked_by(hosts, ring)
    assert adversary.left_after_averaging(marked, 7, ring) == 0
    copies = adversary.copied(marked[:3], hosts, ring)
    assert copies.read > 0
    assert copies.likeness_most < 0.5


@pytest.mark.slow
def test_the_benchmark_ends_with_its_figures(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    options = ["--quick", "--model", "0", "--unmarked", "2", "--cache", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", ["watermark", *options])
    watermark.main()
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert told["benchmark"] == "watermark"
    assert {"recovery", "psnr_db", "embed_ms", "decode_ms"} <= told["figures"].keys()
    assert (told["figures"]["unmarked"], told["figures"]["false_positives"]) == (2, 0)
    assert told["figures"]["recovery"] >= 0.8
