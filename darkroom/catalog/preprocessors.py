"""Which control maps can be made here: those that need no weights, and those whose weights were given."""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from darkroom.catalog.hub import located
from darkroom.catalog.preprocessor_files import files_of, memory_bytes
from darkroom.catalog.unavailable import Unavailable, set_aside
from darkroom.contract.control import CONTROL_TYPES, ControlType
from darkroom.contract.preprocessor import MapMethod, PreprocessorSpec
from darkroom.errors import PreprocessorUnavailable

SETTING = "DARKROOM_PREPROCESSORS"
# To be raised when a method makes other maps than before: maps that are kept were made by the old one.
REVISION = 1

BUILT_IN: Mapping[ControlType, MapMethod] = {
    "canny": "canny",
    "mlsd": "lsd",
    "scribble": "xdog",
    "softedge": "gradients",
}
FROM_WEIGHTS: Mapping[ControlType, MapMethod] = {
    "depth": "depth",
    "openpose": "pose",
    "segmentation": "segmentation",
    "softedge": "hed",
}


class Preprocessors:
    """Preprocessors by the type of their maps. A broken one is absent, and does not take the others down."""

    kind = "preprocessor"

    def __init__(self, specs: Iterable[PreprocessorSpec] = (), broken: Iterable[Unavailable] = ()) -> None:
        self._specs: dict[str, PreprocessorSpec] = {spec.type: spec for spec in specs}
        self._broken = {entry.name: entry for entry in broken}

    def spec(self, kind: ControlType, field: str) -> PreprocessorSpec:
        """`field` is where in the request the type stands. Raises: PreprocessorUnavailable, saying what is missing."""
        if kind in self._specs:
            return self._specs[kind]
        raise PreprocessorUnavailable(field, self._reason(kind))

    def specs(self) -> tuple[PreprocessorSpec, ...]:
        """What can be made, by type."""
        return tuple(self._specs[kind] for kind in CONTROL_TYPES if kind in self._specs)

    def absent(self) -> dict[ControlType, str]:
        """What cannot be made, and why."""
        return {kind: self._reason(kind) for kind in CONTROL_TYPES if kind not in self._specs}

    def unavailable(self) -> tuple[Unavailable, ...]:
        """What was configured but cannot be used, by type."""
        return tuple(self._broken[name] for name in sorted(self._broken))

    def _reason(self, kind: ControlType) -> str:
        if kind in self._broken:
            return f"the preprocessor for {kind} is broken: {self._broken[kind].error.detail}"
        return f'maps of type {kind} need weights, which were not given: {SETTING}=\'{{"{kind}": "PATH"}}\' names them'


def read_preprocessors(paths: Mapping[ControlType, Path], sha256: Callable[[Path], str]) -> Preprocessors:
    """Those that need no weights, and those of these folders and files, which take the place of what ships."""
    specs = {kind: _spec(kind, method, Path(), {}, 0) for kind, method in BUILT_IN.items()}
    broken: list[Unavailable] = []
    for kind, path in paths.items():
        specs.pop(kind, None)
        with set_aside(kind, path, broken):
            specs[kind] = _read(kind, located(path), sha256)
    return Preprocessors(specs.values(), broken)


def _read(kind: ControlType, path: Path, sha256: Callable[[Path], str]) -> PreprocessorSpec:
    """Raises: MissingWeights, BrokenWeights, naming the file."""
    method = FROM_WEIGHTS[kind]
    folder, names = files_of(method, path)
    digests = {name: sha256(folder / name) for name in names}
    return _spec(kind, method, folder, digests, sum(memory_bytes(folder / name) for name in names))


def _spec(kind: ControlType, method: MapMethod, folder: Path, files: dict[str, str], size: int) -> PreprocessorSpec:
    identity = json.dumps([kind, method, REVISION, sorted(files.values())])
    return PreprocessorSpec(
        type=kind,
        method=method,
        folder=str(folder) if files else "",
        files=files,
        bytes=size,
        digest=hashlib.sha256(identity.encode()).hexdigest(),
    )
