"""Persons as skeletons: where each is, then where its joints are, by networks of the kind of RTMPose and DWPose.

T. Jiang et al., RTMPose, 2023: a person's crop in, and for each joint a distribution over half pixels along each axis
(SimCC). Without a network that finds persons, the whole picture is taken for one.
"""

from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from darkroom.catalog.preprocessor_files import DETECTOR
from darkroom.contract.preprocessor import PreprocessorSpec
from darkroom.inputs.normal import Pixels
from worker.models.tensor_file import read_described, reading
from worker.preprocessors.method import Method
from worker.preprocessors.onnx_network import Network, OnnxNetwork
from worker.preprocessors.persons import find_persons
from worker.preprocessors.skeleton import Joints, drawn

JOINTS = 17  # COCO's, which come first in whole bodies too
MARGIN = 1.25  # of a person's box, as in training
BINS = 2  # of a pixel
MEAN, DEVIATION = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)  # of RGB, over ImageNet


def load_pose(spec: PreprocessorSpec, device: torch.device) -> Method:
    """Raises: PreprocessorUnavailable without onnxruntime; MissingWeights, BrokenWeights, naming the file."""
    networks = {name: _network(Path(spec.folder) / name, sha256) for name, sha256 in spec.files.items()}
    (joints,) = (network for name, network in networks.items() if not name.startswith(DETECTOR))
    return pose_of(joints, next((network for name, network in networks.items() if name.startswith(DETECTOR)), None))


def _network(file: Path, sha256: str) -> OnnxNetwork:
    with reading(file):
        return OnnxNetwork(file.name, read_described(file, sha256))


def pose_of(joints: Network, detector: Network | None) -> Method:
    """The method of these two networks."""

    def pose(rgb_HW3: Pixels) -> Pixels:
        height, width = rgb_HW3.shape[:2]
        whole = np.array([[0, 0, width, height]], np.float32)
        boxes = whole if detector is None else find_persons(detector, rgb_HW3)
        return drawn((find_joints(joints, rgb_HW3, box) for box in boxes), (height, width))

    return pose


def find_joints(network: Network, rgb_HW3: Pixels, box: NDArray[np.float32]) -> Joints:
    """The joints of the person in `box` (left, top, right, bottom).

    Raises: ValueError for a network of another kind.
    """
    height, width = network.side
    middle = (box[:2] + box[2:]) / 2
    scale = min(width / (box[2] - box[0]), height / (box[3] - box[1])) / MARGIN
    shift = np.array([width, height]) / 2 - scale * middle
    moved = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]], np.float64)
    crop = cv2.warpAffine(rgb_HW3, moved, (width, height), flags=cv2.INTER_LINEAR).astype(np.float32)
    picture = ((crop - MEAN) / DEVIATION).astype(np.float32).transpose(2, 0, 1)[None]
    along_x, along_y = (np.asarray(told) for told in network(np.ascontiguousarray(picture))[:2])
    _check(along_x, width)
    _check(along_y, height)
    places = np.stack([along_x[0, :JOINTS].argmax(axis=1), along_y[0, :JOINTS].argmax(axis=1)], axis=1) / BINS
    sure = np.minimum(along_x[0, :JOINTS].max(axis=1), along_y[0, :JOINTS].max(axis=1))
    return np.concatenate([(places - shift) / scale, sure[:, None]], axis=1).astype(np.float32)


def _check(told: NDArray[np.float32], side: int) -> None:
    if told.ndim != 3 or told.shape[1] < JOINTS or told.shape[2] != side * BINS or not np.isfinite(told).all():
        raise ValueError("the network tells no joints as RTMPose does")
