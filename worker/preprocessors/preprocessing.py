"""The door: a picture and the type of a map in, the map out."""

from collections.abc import Callable, Mapping

import cv2
import torch

from darkroom.catalog import Catalog
from darkroom.catalog.preprocessors import Preprocessors as Known
from darkroom.contract.control import ControlType
from darkroom.contract.preprocessor import MapMethod, PreprocessorSpec
from darkroom.errors import DarkroomError, OutOfMemory, PreprocessorFailed, PreprocessorUnavailable
from darkroom.inputs.normal import Pixels
from darkroom.settings import Settings
from worker.engine.faults import fatal, out_of_memory
from worker.models.placement import placement
from worker.preprocessors.canny import canny
from worker.preprocessors.depth import load_depth
from worker.preprocessors.hed import load_hed
from worker.preprocessors.loaded import Loaded, Loader
from worker.preprocessors.method import Method
from worker.preprocessors.pose import load_pose
from worker.preprocessors.resolution import at_resolution
from worker.preprocessors.scribble import scribble
from worker.preprocessors.segmentation import load_segmentation
from worker.preprocessors.soft_edge import soft_edge
from worker.preprocessors.straight_lines import straight_lines

WITHOUT_WEIGHTS: Mapping[MapMethod, Method] = {
    "canny": canny,
    "gradients": soft_edge,
    "lsd": straight_lines,
    "xdog": scribble,
}
LOADERS: Mapping[MapMethod, Callable[[PreprocessorSpec, torch.device], Method]] = {
    "depth": load_depth,
    "hed": load_hed,
    "pose": load_pose,
    "segmentation": load_segmentation,
}


class Preprocessors:
    """Thread-safe, and slow: for threads that nobody waits on, never for the engine's."""

    def __init__(self, known: Known, loaders: Mapping[MapMethod, Loader]) -> None:
        self._known = known
        self._loaded = Loaded(loaders)

    def check(self, kind: ControlType, digest: str) -> None:
        """Raises: PreprocessorUnavailable where maps are not made by what a plan names."""
        if self._known.spec(kind, "type").digest != digest:
            raise PreprocessorUnavailable("type", f"this worker makes {kind} maps from other weights")

    def map(self, kind: ControlType, rgb_HW3: Pixels, resolution: int = 512) -> Pixels:
        """The control map of a picture, H W 3 as that is, looked at with its shorter side at most `resolution` pixels.

        Raises: PreprocessorUnavailable; PreprocessorFailed, OutOfMemory; MissingWeights, BrokenWeights for weights that
            went bad. What `fatal` says of the device passes as it is: no later map can be made here.
        """
        spec = self._known.spec(kind, "type")
        method = self._method(spec)
        try:
            return at_resolution(method, rgb_HW3, resolution, exact=kind == "segmentation")
        except (cv2.error, ValueError, ArithmeticError, RuntimeError, MemoryError) as error:
            if fatal(error):
                raise
            raise _failure(kind, error) from error

    def _method(self, spec: PreprocessorSpec) -> Method:
        return WITHOUT_WEIGHTS.get(spec.method) or self._loaded.method(spec)


def _failure(kind: ControlType, error: Exception) -> DarkroomError:
    if out_of_memory(error):
        return OutOfMemory(f"the device ran out of memory for a {kind} map")
    return PreprocessorFailed(f"no {kind} map can be made of this picture ({type(error).__name__})")


def open_preprocessors(settings: Settings, catalog: Catalog) -> Preprocessors:
    """What this worker can make. Nothing is loaded yet. Raises: ConfigurationError for a device this machine lacks."""
    device = placement(settings).device
    return Preprocessors(catalog.preprocessors, {name: _on(device, load) for name, load in LOADERS.items()})


def _on(device: torch.device, load: Callable[[PreprocessorSpec, torch.device], Method]) -> Loader:
    return lambda spec: load(spec, device)
