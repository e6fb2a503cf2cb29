"""How the networks are trained: orthogonal momentum, several processes, and what a held-out pair must not teach."""

import random
import sys
from pathlib import Path

import pytest
import torch

from training import text
from training.muon import Muon, is_matrix, orthogonal
from training.parallel import gathered
from training.scenes import HELD_OUT_PAIRS, Scene, Thing, sample_scene

pytestmark = pytest.mark.slow

PEER = """
import sys, torch
from pathlib import Path
from training.parallel import joined
with joined(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])) as team:
    theirs = [torch.full((2, 3), 5.0), torch.tensor([1.0])]
    team.average(theirs)
    assert theirs[0].eq(3).all() and theirs[1].eq(2).all()
"""


def test_orthogonal_brings_all_singular_values_near_one() -> None:
    generator = torch.Generator().manual_seed(0)
    made = orthogonal(torch.randn(3, 16, 40, generator=generator)).float()
    values = torch.linalg.svdvals(made)
    assert values.min() > 0.5
    assert values.max() < 1.5


@pytest.mark.parametrize("shape", [(16, 40), (40, 16), (24, 16, 3, 3)])
def test_muon_goes_downhill(shape: tuple[int, ...]) -> None:
    generator = torch.Generator().manual_seed(0)
    weight = torch.nn.Parameter(torch.randn(shape, generator=generator))
    assert is_matrix(weight)
    optimiser = Muon([weight], lr=0.1)
    losses = []
    for _ in range(120):
        loss = weight.square().sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.2 * losses[0]


@pytest.mark.slow
def test_a_team_averages_over_its_processes(tmp_path: Path) -> None:
    meeting = tmp_path / "meeting"
    ours = [torch.full((2, 3), 1.0), torch.tensor([3.0])]
    with gathered(meeting, [sys.executable, "-c", PEER, str(meeting)], 2) as team:
        team.average(ours)
    assert torch.equal(ours[0], torch.full((2, 3), 3.0))
    assert torch.equal(ours[1], torch.tensor([2.0]))


@pytest.mark.slow
def test_a_team_does_not_pass_over_a_process_that_failed(tmp_path: Path) -> None:
    meeting = tmp_path / "meeting"
    with (
        pytest.raises(RuntimeError, match="has failed"),
        gathered(meeting, [sys.executable, "-c", PEER + "\nsys.exit(3)", str(meeting)], 2) as team,
    ):
        team.average([torch.full((2, 3), 1.0), torch.tensor([3.0])])


def test_a_team_does_not_wait_for_a_process_that_died_on_its_way(tmp_path: Path) -> None:
    with (
        pytest.raises(RuntimeError, match="has died"),
        gathered(tmp_path / "meeting", [sys.executable, "-S", "-c", "raise SystemExit(3)"], 2),
    ):
        raise AssertionError("nobody came")


def test_a_held_out_partner_is_no_candidate() -> None:
    colour, shape = next(iter(HELD_OUT_PAIRS))
    other = next(s for s in text.SHAPES if (colour, s) not in HELD_OUT_PAIRS)
    added = text.penalties([Scene("single", "black", (Thing(colour, other),))])
    assert added["shape"][0, text.VALUES["shape"].index(shape)] == -torch.inf
    assert torch.isfinite(added["shape"][0, text.VALUES["shape"].index(other)])
    assert torch.isfinite(added["second shape"]).all()


def test_no_right_answer_is_ruled_out() -> None:
    rng = random.Random(8)
    scenes = [sample_scene(rng) for _ in range(300)]
    captions = [text.caption(rng, scene) for scene in scenes]
    added, wanted = text.penalties(scenes), text.targets(scenes, captions)
    for name, target in wanted.items():
        told = target != text.UNSAID
        assert torch.isfinite(added[name][told, target[told]]).all(), name
