"""The marks of invisible-watermark, as it ships them: dwtDct, dwtDctSvd and rivaGAN.

Its wheel is only unpacked into a folder of its own: installed, it would bring a second OpenCV and all of torch with
CUDA. Beside it lies PyWavelets; torch, OpenCV and onnxruntime are those of this environment.
"""

import sys
import zipfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.marking.pictures import download

RGB = NDArray[np.uint8]
Bits = NDArray[np.uint8]

PACKAGES = ("invisible-watermark==0.2.0", "PyWavelets==1.9.0")
METHODS = {"dwtDct": 48, "dwtDctSvd": 48, "rivaGan": 32}  # and how many bits each carries here


def fetch(folder: Path) -> Path:
    """The folder from which `Peer` imports."""
    if not (folder / "pywt").exists():
        for package in PACKAGES:
            with zipfile.ZipFile(download(package, folder / "wheels")) as archive:
                archive.extractall(folder)
    return folder


class Peer:
    """One method, with one message. An id counts as read when all its bits are right."""

    def __init__(self, method: str, folder: Path) -> None:
        sys.path.append(str(folder))
        import imwatermark  # type: ignore[import-not-found, unused-ignore]

        self.method = method
        self._bits = np.random.default_rng(1).integers(0, 2, METHODS[method]).astype(np.uint8)
        self._encoder: Any = imwatermark.WatermarkEncoder()
        self._decoder: Any = imwatermark.WatermarkDecoder("bits", METHODS[method])
        if method == "rivaGan":
            self._encoder.loadModel()
            self._decoder.loadModel()

    def embed(self, rgb_HWC: RGB) -> RGB:
        self._encoder.set_watermark("bits", self._bits.tolist())
        marked = self._encoder.encode(cv2.cvtColor(rgb_HWC, cv2.COLOR_RGB2BGR), self.method)
        return np.asarray(cv2.cvtColor(marked, cv2.COLOR_BGR2RGB))

    def reads(self, rgb_HWC: RGB) -> bool:
        if rgb_HWC.shape[0] * rgb_HWC.shape[1] < 256 * 256:
            return False  # it refuses smaller pictures
        seen = self._decoder.decode(cv2.cvtColor(np.ascontiguousarray(rgb_HWC), cv2.COLOR_RGB2BGR), self.method)
        return bool(np.array_equal(np.asarray(seen).astype(np.uint8), self._bits))
