"""ONNX networks, which run where onnxruntime was installed."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from darkroom.errors import BrokenWeights, PreprocessorUnavailable

Array = NDArray[np.float32]


class Network(Protocol):
    """One picture in, some arrays out. `side` is the (height, width) that it takes."""

    side: tuple[int, int]

    def __call__(self, picture_1CHW: Array) -> Sequence[Array]: ...


class OnnxNetwork:
    """A `Network` that onnxruntime runs on the CPU. Called, it raises ValueError for a network that does not run.

    Raises: PreprocessorUnavailable without onnxruntime; BrokenWeights for a file it does not take.
    """

    def __init__(self, file: Path) -> None:
        self._session = _session(file)
        (taken, *_) = self._session.get_inputs()
        *_, height, width = taken.shape
        if not (isinstance(height, int) and isinstance(width, int)):
            raise BrokenWeights(file.name, "takes pictures of no fixed size")
        self._name = taken.name
        self.side = height, width

    def __call__(self, picture_1CHW: Array) -> Sequence[Array]:
        fed: Mapping[str, Array] = {self._name: picture_1CHW}
        try:
            answers: Sequence[Array] = self._session.run(None, fed)
        except Exception as error:  # its errors share no base but Exception
            raise ValueError(f"the network broke off ({type(error).__name__})") from error
        return answers


def _session(file: Path) -> Any:
    try:
        import onnxruntime
    except ImportError:
        raise PreprocessorUnavailable(
            "type", "maps of type openpose need onnxruntime on the worker: pip install 'darkroom[pose]'"
        ) from None
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    try:
        return onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its errors share no base but Exception
        raise BrokenWeights(file.name, f"is no ONNX network that runs here ({type(error).__name__})") from error
