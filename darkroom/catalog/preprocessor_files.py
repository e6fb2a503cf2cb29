"""Where the weights of a preprocessor lie, and are they sound. Safetensors and ONNX only, both data without code."""

import os
from collections.abc import Callable, Mapping
from math import prod
from pathlib import Path

from darkroom.catalog.configs import read_json
from darkroom.catalog.foreign import refuse_foreign
from darkroom.catalog.safetensors_header import UnsoundHeader, read_header
from darkroom.contract.preprocessor import MapMethod
from darkroom.errors import BrokenWeights, MissingWeights

CONFIG, PROCESSOR, WEIGHTS = "config.json", "preprocessor_config.json", "model.safetensors"
DETECTOR = "yolox"  # what the file of a person detector begins with, as DWPose names its own
FLOAT32_BYTES = 4
MAX_BYTES = 8 * 1024**3

Found = tuple[Path, tuple[str, ...]]


def files_of(method: MapMethod, path: Path) -> Found:
    """The folder, and the names of all files in it that `method` loads. Raises: MissingWeights, BrokenWeights."""
    if not path.exists():
        raise MissingWeights(path.name, "no such file or folder")
    try:
        return _READERS[method](path)
    except OSError as error:
        raise BrokenWeights(path.name, f"cannot be read ({type(error).__name__})") from error


def memory_bytes(file: Path) -> int:
    """What it takes once it is loaded: networks run in float32, whatever their files hold. Raises: OSError."""
    if file.suffix != ".safetensors":
        return file.stat().st_size
    return sum(FLOAT32_BYTES * prod(tensor.shape) for tensor in read_header(file).values())


def _transformers(path: Path) -> Found:
    """A folder as `save_pretrained` of transformers writes it."""
    if not path.is_dir():
        raise BrokenWeights(path.name, f"is no folder with {CONFIG}, {PROCESSOR} and {WEIGHTS}")
    for name in (CONFIG, PROCESSOR):
        read_json(path, name)
    refuse_foreign(path)
    _check_safetensors(path, WEIGHTS)
    return path, (CONFIG, PROCESSOR, WEIGHTS)


def _one_safetensors(path: Path) -> Found:
    folder, (name, *more) = _with_suffix(path, ".safetensors")
    if more:
        raise BrokenWeights(path.name, "holds more than one .safetensors file: name the one")
    _check_safetensors(folder, name)
    return folder, (name,)


def _onnx(path: Path) -> Found:
    """One network that finds the joints of a person, beside which one may lie that finds persons."""
    folder, names = _with_suffix(path, ".onnx")
    joints = [name for name in names if not name.startswith(DETECTOR)]
    if len(joints) != 1 or len(names) > 2:
        raise BrokenWeights(path.name, f"holds not one .onnx file for joints and at most one {DETECTOR}*.onnx")
    for name in names:
        if not (folder / name).is_file():  # to read a FIFO would wait for ever
            raise BrokenWeights(name, "not a regular file")
        if (folder / name).stat().st_size > MAX_BYTES:
            raise BrokenWeights(name, f"larger than {MAX_BYTES} bytes")
    return folder, tuple(names)


def _with_suffix(path: Path, suffix: str) -> tuple[Path, list[str]]:
    if path.is_dir():
        names = sorted(name for name in os.listdir(path) if name.endswith(suffix))
    else:
        path, names = path.parent, [path.name] if path.suffix == suffix else []
    if not names:
        raise MissingWeights(path.name, f"no {suffix} file")
    return path, names


def _check_safetensors(folder: Path, name: str) -> None:
    try:
        if (folder / name).stat().st_size > MAX_BYTES:
            raise BrokenWeights(name, f"larger than {MAX_BYTES} bytes")
        read_header(folder / name)
    except FileNotFoundError as error:
        raise MissingWeights(name, "no such file") from error
    except UnsoundHeader as error:
        raise BrokenWeights(name, str(error)) from error


_READERS: Mapping[MapMethod, Callable[[Path], Found]] = {
    "depth": _transformers,
    "segmentation": _transformers,
    "hed": _one_safetensors,
    "pose": _onnx,
}
