"""Networks in memory: loaded when first needed, kept while there is room."""

from darkroom.catalog.preprocessors import read_preprocessors
from darkroom.contract.preprocessor import PreprocessorSpec
from tests.unit.preprocessors.pictures import flat
from worker.preprocessors.loaded import Loaded
from worker.preprocessors.method import Method

BUILT_IN = read_preprocessors({}, lambda _: "")


def spec(kind: str, size: int) -> PreprocessorSpec:
    return BUILT_IN.spec("canny", "type").model_copy(update={"method": kind, "digest": kind, "bytes": size})


def test_the_least_recently_used_leaves_first() -> None:
    loads: list[str] = []

    def load(wanted: PreprocessorSpec) -> Method:
        loads.append(wanted.digest)
        return lambda rgb_HW3: rgb_HW3

    loaded = Loaded({"depth": load, "hed": load, "pose": load}, budget_bytes=10)
    depth, hed, pose = spec("depth", 5), spec("hed", 5), spec("pose", 4)
    for wanted in (depth, hed, depth, pose, depth, hed):
        loaded.method(wanted)(flat(4))
    assert loads == ["depth", "hed", "pose", "hed"]


def test_one_that_is_larger_than_all_room_is_kept_alone() -> None:
    loads: list[str] = []

    def load(wanted: PreprocessorSpec) -> Method:
        loads.append(wanted.digest)
        return lambda rgb_HW3: rgb_HW3

    loaded = Loaded({"depth": load}, budget_bytes=1)
    for _ in range(2):
        loaded.method(spec("depth", 5))(flat(4))
    assert loads == ["depth"]
