"""Preprocessors whose weights are in memory: within a budget, the least recently used out first."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from threading import RLock

from darkroom.contract.preprocessor import MapMethod, PreprocessorSpec
from darkroom.errors import PreprocessorUnavailable
from darkroom.inputs.normal import Pixels
from worker.preprocessors.method import Method

# Of weights. One that is larger is kept alone.
BUDGET_BYTES = 2 * 1024**3

Loader = Callable[[PreprocessorSpec], Method]


class Loaded:
    """Thread-safe. One map is made at a time, for what a network holds while it runs may be more than its weights."""

    def __init__(self, loaders: Mapping[MapMethod, Loader], budget_bytes: int = BUDGET_BYTES) -> None:
        self._loaders = loaders
        self._budget = budget_bytes
        self._lock = RLock()
        self._held: OrderedDict[str, tuple[Method, int]] = OrderedDict()

    def method(self, spec: PreprocessorSpec) -> Method:
        """What makes these maps, loaded first if need be, when it is called.

        Raises: PreprocessorUnavailable. When called: MissingWeights, BrokenWeights, PreprocessorUnavailable too.
        """
        if spec.method not in self._loaders:
            raise PreprocessorUnavailable("type", f"this worker cannot make maps of type {spec.type}")

        def made(rgb_HW3: Pixels) -> Pixels:
            with self._lock:
                return self._of(spec)(rgb_HW3)

        return made

    def _of(self, spec: PreprocessorSpec) -> Method:
        if spec.digest not in self._held:
            self._make_room(spec.bytes)
            self._held[spec.digest] = self._loaders[spec.method](spec), spec.bytes
        self._held.move_to_end(spec.digest)
        return self._held[spec.digest][0]

    def _make_room(self, coming: int) -> None:
        while self._held and sum(size for _, size in self._held.values()) + coming > self._budget:
            self._held.popitem(last=False)
