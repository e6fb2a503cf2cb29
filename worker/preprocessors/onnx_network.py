"""ONNX networks, which run where onnxruntime was installed."""

from collections.abc import Mapping, Sequence
from tempfile import TemporaryDirectory
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from darkroom.errors import BrokenWeights, PreprocessorUnavailable

# Where it looks for tensors that a file leaves to others; else in the folder that this process was started in.
BESIDE = "session.model_external_initializers_file_folder_path"

Array = NDArray[np.float32]


class Network(Protocol):
    """One picture in, some arrays out. `side` is the (height, width) that it takes."""

    side: tuple[int, int]

    def __call__(self, picture_1CHW: Array) -> Sequence[Array]: ...


class OnnxNetwork:
    """A `Network` that onnxruntime runs on the CPU. Called, it raises ValueError for a network that does not run.

    It is made of the content of a file, `name`, alone: tensors that it would fetch from other files are not there.

    Raises: PreprocessorUnavailable without onnxruntime; BrokenWeights for a file it does not take.
    """

    def __init__(self, name: str, content: bytes) -> None:
        self._session = _session(name, content)
        (taken, *_) = self._session.get_inputs()
        *_, height, width = taken.shape
        if not (isinstance(height, int) and isinstance(width, int)):
            raise BrokenWeights(name, "takes pictures of no fixed size")
        self._name = taken.name
        self.side = height, width

    def __call__(self, picture_1CHW: Array) -> Sequence[Array]:
        fed: Mapping[str, Array] = {self._name: picture_1CHW}
        try:
            answers: Sequence[Array] = self._session.run(None, fed)
        except Exception as error:  # its errors share no base but Exception
            raise ValueError(f"the network broke off ({type(error).__name__})") from error
        return answers


def _session(name: str, content: bytes) -> Any:
    try:
        import onnxruntime
    except ImportError:
        raise PreprocessorUnavailable(
            "type", "maps of type openpose need onnxruntime on the worker: pip install 'darkroom[pose]'"
        ) from None
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    with TemporaryDirectory(prefix="darkroom-nothing-beside-") as empty:
        options.add_session_config_entry(BESIDE, empty)
        try:
            return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # its errors share no base but Exception
            raise BrokenWeights(name, f"is no ONNX network that runs here ({type(error).__name__})") from error
