"""Skeletons: from scripted networks, whose answers are known, and through onnxruntime where it is installed."""

import builtins
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch

from darkroom.errors import BrokenWeights, PreprocessorUnavailable
from tests.unit.preprocessors.pictures import flat
from tests.unit.preprocessors.tiny import described
from worker.preprocessors.onnx_network import Array, OnnxNetwork
from worker.preprocessors.persons import STRIDES, find_persons
from worker.preprocessors.pose import find_joints, load_pose, pose_of
from worker.preprocessors.skeleton import SURE, drawn, openpose_body

NOSE, LEFT_SHOULDER, RIGHT_SHOULDER, RIGHT_ELBOW = 0, 5, 6, 8


class JointsAt:
    """Tells every joint at one place of its input, as sure as it is told to be."""

    side = (64, 48)

    def __init__(self, x: int, y: int, sure: float = 0.9, joints: int = 133) -> None:
        self.seen: list[Array] = []
        self._told = [np.zeros((1, joints, side * 2), np.float32) for side in (48, 64)]
        for told, place in zip(self._told, (x, y), strict=True):
            told[:, :, place * 2] = sure

    def __call__(self, picture_1CHW: Array) -> Sequence[Array]:
        self.seen.append(picture_1CHW)
        return self._told


class PersonsAt:
    """Tells persons at boxes of its input; everything else is unsure."""

    side = (64, 64)

    def __init__(self, *boxes: tuple[float, float, float, float], sure: float = 0.9) -> None:
        cells = sum((64 // stride) ** 2 for stride in STRIDES)
        self._told = np.zeros((1, cells, 85), np.float32)
        for index, (left, top, right, bottom) in enumerate(boxes):  # in the first row of the finest grid, 8 pixels each
            middle = np.array([(left + right) / 2, (top + bottom) / 2]) / 8 - [index, 0]
            self._told[0, index, :4] = (*middle, np.log((right - left) / 8), np.log((bottom - top) / 8))
            self._told[0, index, 4:6] = (sure - 0.01 * index, 1)

    def __call__(self, picture_1CHW: Array) -> Sequence[Array]:
        return [self._told]


def person(**places: tuple[float, float, float]) -> Any:
    joints = np.zeros((17, 3), np.float32)
    for name, place in places.items():
        joints[globals()[name.upper()]] = place
    return joints


def test_joints_are_found_where_the_network_sees_them_in_the_crop() -> None:
    box = np.array([20, 10, 68, 74], np.float32)  # of the network's own shape, so the margin alone scales
    found = find_joints(JointsAt(24, 32), flat(100), box)
    assert found.shape == (17, 3)
    assert np.allclose(found, [[44, 42, 0.9]] * 17, atol=0.01), "the middle of the crop is the middle of the box"
    off = find_joints(JointsAt(34, 32), flat(100), box)
    assert np.allclose(off[:, 0], 44 + 10 * 1.25, atol=0.01)


def test_the_network_sees_normalised_colours() -> None:
    network = JointsAt(24, 32)
    find_joints(network, flat(100), np.array([20, 10, 68, 74], np.float32))
    (seen,) = network.seen
    assert (seen.shape, seen.dtype) == ((1, 3, 64, 48), np.float32)
    assert np.allclose(
        seen[0, :, 32, 24], (127 - np.array([123.675, 116.28, 103.53])) / [58.395, 57.12, 57.375], atol=1e-4
    )


def test_persons_are_found_at_the_pictures_own_size_and_once_each() -> None:
    boxes = find_persons(PersonsAt((8, 8, 24, 40), (9, 8, 25, 40), (40, 8, 56, 40)), flat(128))
    assert np.allclose(boxes, [[16, 16, 48, 80], [80, 16, 112, 80]], atol=0.01)


def test_what_is_unsure_is_nobody() -> None:
    assert len(find_persons(PersonsAt((8, 8, 24, 40), sure=0.29), flat(64))) == 0
    assert not pose_of(JointsAt(24, 32), PersonsAt())(flat(64)).any()


def test_without_a_detector_the_picture_is_one_person() -> None:
    found = pose_of(JointsAt(24, 32), None)(flat(96))
    assert found[48, 48].any()
    assert found.shape == (96, 96, 3)


@pytest.mark.parametrize("joints", [JointsAt(1, 1, joints=16), JointsAt(1, 1, sure=float("nan")), PersonsAt()])
def test_a_network_of_another_kind_makes_no_map(joints: Any) -> None:
    with pytest.raises(ValueError, match=r"RTMPose|unpack"):
        pose_of(joints, None)(flat(64))


def test_a_detector_of_another_kind_makes_no_map() -> None:
    with pytest.raises(ValueError, match="YOLOX"):
        pose_of(JointsAt(1, 1), JointsAt(1, 1))(flat(64))


def test_limbs_and_joints_have_openposes_colours() -> None:
    shown = drawn([person(right_shoulder=(20, 40, 1), right_elbow=(80, 40, 1))], (100, 100))
    assert shown[40, 20].tolist() == [255, 170, 0]
    assert shown[40, 80].tolist() == [255, 255, 0]
    assert shown[40, 50].tolist() == [153, 102, 0], "six tenths of the limb's colour"


def test_the_neck_lies_between_shoulders_and_is_as_sure_as_both() -> None:
    body = openpose_body(person(left_shoulder=(60, 30, 0.9), right_shoulder=(40, 20, 0.5)))
    assert np.allclose(body[1], (50, 25, 0.5))


def test_what_is_unsure_is_not_drawn() -> None:
    assert not drawn([person(nose=(20, 20, SURE - 0.01))], (40, 40)).any()


def test_joints_beyond_the_picture_are_cut_off() -> None:
    drawn([person(right_shoulder=(-500, 5, 1), right_elbow=(5000, 5, 1))], (40, 40))


def test_without_onnxruntime_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name == "onnxruntime":
            raise ImportError(name)
        return real(name, *rest)

    (tmp_path / "pose.onnx").write_bytes(b"weights")
    spec = described("openpose", tmp_path / "pose.onnx")
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(PreprocessorUnavailable, match=r"pip install 'darkroom\[pose\]'"):
        load_pose(spec, torch.device("cpu"))


def test_a_file_that_is_no_network_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "pose.onnx").write_bytes(b"weights")
    with pytest.raises(BrokenWeights, match=r"pose\.onnx"):
        load_pose(described("openpose", tmp_path / "pose.onnx"), torch.device("cpu"))


def written(path: Path, side: tuple[Any, Any], joints: int = 17) -> Path:
    """An ONNX file in the form of RTMPose: it sees every joint at (24, 32), whatever it is shown."""
    told = JointsAt(24, 32, joints=joints)(np.zeros(0, np.float32))
    constants = [onnx.numpy_helper.from_array(each, name) for each, name in zip(told, ("x", "y"), strict=True)]
    graph = onnx.helper.make_graph(
        [
            onnx.helper.make_node("ReduceSum", ["input"], ["sum"], keepdims=0),
            onnx.helper.make_node("Sub", ["sum", "sum"], ["zero"]),
            onnx.helper.make_node("Add", ["x", "zero"], ["simcc_x"]),
            onnx.helper.make_node("Add", ["y", "zero"], ["simcc_y"]),
        ],
        "pose",
        [onnx.helper.make_tensor_value_info("input", onnx.TensorProto.FLOAT, [1, 3, *side])],
        [onnx.helper.make_tensor_value_info(f"simcc_{axis}", onnx.TensorProto.FLOAT, None) for axis in "xy"],
        constants,
    )
    opset = onnx.helper.make_opsetid("", 17)
    onnx.save(onnx.helper.make_model(graph, opset_imports=[opset], ir_version=9), path)
    return path


def test_a_network_of_onnx_draws_what_it_sees(tmp_path: Path) -> None:
    path = written(tmp_path / "pose.onnx", (64, 48))
    found = load_pose(described("openpose", path), torch.device("cpu"))(flat(96))
    assert np.array_equal(found, pose_of(JointsAt(24, 32), None)(flat(96)))
    assert found.any()


def test_a_network_that_takes_any_size_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "pose.onnx", ("height", "width"))
    with pytest.raises(BrokenWeights, match="no fixed size"):
        load_pose(described("openpose", path), torch.device("cpu"))


def test_a_network_that_breaks_off_makes_no_map(tmp_path: Path) -> None:
    network = OnnxNetwork("pose.onnx", written(tmp_path / "pose.onnx", (64, 48)).read_bytes())
    with pytest.raises(ValueError, match="broke off"):
        network(np.zeros((1, 3, 64, 47), np.float32))


def test_a_network_that_is_not_the_described_one_is_refused(tmp_path: Path) -> None:
    spec = described("openpose", written(tmp_path / "pose.onnx", (64, 48)))
    written(tmp_path / "pose.onnx", (48, 64))
    with pytest.raises(BrokenWeights, match=r"pose\.onnx: is not the file"):
        load_pose(spec, torch.device("cpu"))


def test_a_network_cannot_fetch_tensors_from_files_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path / "pose.onnx", (64, 48))
    monkeypatch.chdir(tmp_path)
    onnx.save(onnx.load(path), path, save_as_external_data=True, size_threshold=0, location="beside.bin")
    assert (tmp_path / "beside.bin").exists()
    with pytest.raises(BrokenWeights, match=r"pose\.onnx"):
        load_pose(described("openpose", path), torch.device("cpu"))
