"""Maps by networks, at random weights in the formats of real ones."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import DepthAnythingForDepthEstimation

from darkroom.errors import BrokenWeights, PreprocessorFailed, PreprocessorUnavailable
from tests.unit.preprocessors.pictures import house, noise
from tests.unit.preprocessors.tiny import depth_folder, described, hed_file, segmentation_folder
from worker.preprocessors import transformers_folder
from worker.preprocessors.ade20k import CLASSES, PALETTE_N3
from worker.preprocessors.depth import load_depth
from worker.preprocessors.hed import Hed, load_hed
from worker.preprocessors.method import Method
from worker.preprocessors.segmentation import load_segmentation

CPU = torch.device("cpu")


@pytest.fixture
def depth(tmp_path: Path) -> Path:
    return depth_folder(tmp_path / "depth")


def test_depths_run_from_black_for_the_farthest_to_white_for_the_nearest(depth: Path) -> None:
    found = load_depth(described("depth", depth), CPU)(noise(40)[:, :30])
    assert (found.shape, found.dtype) == ((40, 30, 3), np.uint8)
    assert (found.min(), found.max()) == (0, 255)
    assert (found == found[..., :1]).all()


def test_a_banner_that_is_scaled_up_again_is_refused_before_the_network_sees_it(
    depth: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transformers_folder, "MOST_SEEN", 28 * 28)
    described_as = json.loads((depth / "preprocessor_config.json").read_text())
    described_as |= {"keep_aspect_ratio": True, "ensure_multiple_of": 14}
    (depth / "preprocessor_config.json").write_text(json.dumps(described_as))
    method = load_depth(described("depth", depth), CPU)
    with pytest.raises(PreprocessorFailed, match=r"280 x 28 pixels.*smaller detect_resolution"):
        method(np.zeros((25, 250, 3), np.uint8))


def test_what_tells_metres_is_turned_around(tmp_path: Path) -> None:
    maps: list[Any] = []
    for kind in ("relative", "metric"):
        folder = depth_folder(tmp_path / kind, depth_estimation_type=kind)
        maps.append(load_depth(described("depth", folder), CPU)(noise(28))[..., 0].astype(int))
    assert np.corrcoef(maps[0].ravel(), maps[1].ravel())[0, 1] < -0.5


def test_a_depth_network_that_tells_no_numbers_makes_no_map(depth: Path) -> None:
    network = DepthAnythingForDepthEstimation.from_pretrained(depth)
    torch.nn.init.constant_(network.head.conv3.bias, float("nan"))
    network.save_pretrained(depth)
    with pytest.raises(ValueError, match="no depths"):
        load_depth(described("depth", depth), CPU)(house(28))


def test_a_folder_without_all_weights_is_refused_by_name(depth: Path) -> None:
    tensors = load_file(depth / "model.safetensors")
    tensors.pop("head.conv3.bias")
    save_file(tensors, depth / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(BrokenWeights, match=r"model.safetensors: 1 missing keys, the first is head\.conv3\.bias"):
        load_depth(described("depth", depth), CPU)


@pytest.mark.parametrize("name", ["config.json", "preprocessor_config.json", "model.safetensors"])
def test_a_file_that_is_not_the_described_one_is_refused(name: str, depth: Path) -> None:
    spec = described("depth", depth)
    with (depth / name).open("ab") as file:
        file.write(b" ")
    with pytest.raises(BrokenWeights, match=rf"{name}: is not the file that the catalog describes"):
        load_depth(spec, CPU)


def test_what_lies_beside_the_described_files_is_not_read(depth: Path) -> None:
    expected = load_depth(described("depth", depth), CPU)(noise(40))
    other = json.loads((depth / "preprocessor_config.json").read_text()) | {"image_mean": [9.0, 9.0, 9.0]}
    (depth / "processor_config.json").write_text(json.dumps({"image_processor": other}))
    assert np.array_equal(load_depth(described("depth", depth), CPU)(noise(40)), expected)


def test_a_folder_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BrokenWeights, match=r"model\.safetensors"):
        load_depth(described("depth", segmentation_folder(tmp_path / "other")), CPU)


def test_code_that_a_folder_brings_is_not_run(depth: Path) -> None:
    spec = described("depth", depth)
    config = json.loads((depth / "config.json").read_text())
    config |= {"model_type": "stranger", "auto_map": {"AutoConfig": "evil.C", "AutoModelForDepthEstimation": "evil.M"}}
    (depth / "config.json").write_text(json.dumps(config))
    (depth / "evil.py").write_text(f"open({str(depth / 'ran')!r}, 'w')")
    with pytest.raises(BrokenWeights):
        load_depth(spec, CPU)
    assert not (depth / "ran").exists()


def test_an_adapter_that_lies_in_a_folder_is_refused(depth: Path) -> None:
    spec = described("depth", depth)
    (depth / "adapter_config.json").write_text("{}")
    with pytest.raises(BrokenWeights, match=r"adapter_config\.json"):
        load_depth(spec, CPU)
    with pytest.raises(PreprocessorUnavailable, match=r"adapter_config\.json"):
        described("depth", depth)


def test_segments_are_in_the_colours_of_ade20k_alone(tmp_path: Path) -> None:
    found = load_segmentation(described("segmentation", segmentation_folder(tmp_path / "seg")), CPU)(noise(40)[:, :30])
    assert (found.shape, found.dtype) == ((40, 30, 3), np.uint8)
    colours = {tuple(colour) for colour in found.reshape(-1, 3).tolist()}
    assert len(colours) > 1
    assert colours <= {tuple(colour) for colour in PALETTE_N3.tolist()}


def test_a_network_of_other_classes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BrokenWeights, match=r"config\.json: tells 19 classes, not the 150 of ADE20K"):
        load_segmentation(described("segmentation", segmentation_folder(tmp_path / "city", 19)), CPU)


def test_the_palette_is_that_of_its_source() -> None:
    assert PALETTE_N3.shape == (CLASSES, 3)
    assert PALETTE_N3[[0, 2, 12, 149]].tolist() == [[120, 120, 120], [6, 230, 230], [150, 5, 61], [92, 0, 255]]
    assert len({tuple(colour) for colour in PALETTE_N3.tolist()}) == 149, "ceiling and step share a grey"


def hed_of(folder: Path, **changed: torch.Tensor) -> Method:
    return load_hed(described("softedge", hed_file(folder, **changed)), CPU)


def test_hed_is_the_mean_of_five_pictures_of_edges(tmp_path: Path) -> None:
    """The formula of ControlNet's own annotator, written down once more."""
    found = hed_of(tmp_path)(noise(32))
    network = Hed((2, 3, 4, 4, 4))
    network.load_state_dict(load_file(tmp_path / "hed.safetensors"))
    with torch.no_grad():
        edges = network(torch.from_numpy(noise(32)).permute(2, 0, 1)[None].float())
    assert [tuple(each.shape) for each in edges] == [(1, 1, 32 >> i, 32 >> i) for i in range(5)]
    scaled = [torch.nn.functional.interpolate(each, (32, 32), mode="bilinear", align_corners=False) for each in edges]
    expected = 255 * torch.sigmoid(torch.cat(scaled, dim=1).mean(dim=1))[0].numpy()
    assert np.abs(found[..., 0] - expected).max() <= 1.01


@pytest.mark.parametrize("shape", [(1, 1), (5, 40), (17, 16)])
def test_hed_takes_pictures_of_any_size(shape: tuple[int, int], tmp_path: Path) -> None:
    assert hed_of(tmp_path)(np.full((*shape, 3), 9, np.uint8)).shape == (*shape, 3)


def test_hed_that_tells_no_numbers_makes_no_map(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no edges"):
        hed_of(tmp_path, **{"block1.projection.bias": torch.tensor([float("nan")])})(house(32))


@pytest.mark.parametrize(
    "changed",
    [
        {"block5.projection.weight": torch.zeros(2, 4, 1, 1)},
        {"block5.projection.weight": torch.zeros(3)},
        {"block1.convs.0.weight": torch.zeros(2, 3, 5, 5)},
        {"stranger": torch.zeros(1)},
    ],
)
def test_a_file_of_another_network_is_refused_by_name(changed: dict[str, torch.Tensor], tmp_path: Path) -> None:
    with pytest.raises(BrokenWeights, match=r"hed\.safetensors"):
        hed_of(tmp_path, **changed)


def test_a_file_that_changed_since_it_was_described_is_refused(tmp_path: Path) -> None:
    spec = described("softedge", hed_file(tmp_path))
    hed_file(tmp_path, **{"block1.projection.bias": torch.ones(1)})
    with pytest.raises(BrokenWeights, match="not the file that the catalog describes"):
        load_hed(spec, CPU)
