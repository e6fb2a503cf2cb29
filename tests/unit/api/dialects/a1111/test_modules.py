"""Names of the ControlNet extension's preprocessors."""

from pathlib import Path
from typing import get_args

import pytest

from api.dialects.a1111.modules import CONTROL_TYPES, MODULES, NONE, Module, module_of, offered
from darkroom.catalog.digests import DigestCache
from darkroom.catalog.preprocessors import BUILT_IN, FROM_WEIGHTS, Preprocessors, read_preprocessors
from darkroom.contract.control import ControlType
from darkroom.errors import InvalidField


@pytest.fixture
def known() -> Preprocessors:
    """Those that need no weights."""
    return read_preprocessors({}, DigestCache().sha256)


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_a_module_is_found_by_name_and_by_label_in_any_case(module: Module) -> None:
    assert module_of(module.name, "module") is module
    assert module_of(f" {module.label.upper()} ", "module") is module


def test_no_two_modules_share_a_name() -> None:
    names = [name for module in MODULES for name in {module.name, module.label.lower()}]
    assert sorted(names) == sorted(set(names))


def test_every_type_of_map_has_modules_and_a_tab() -> None:
    assert {module.type for module in MODULES} == {None, *get_args(ControlType)}
    assert set(CONTROL_TYPES.values()) == set(get_args(ControlType))


def test_methods_are_those_that_the_type_can_have() -> None:
    for module in MODULES:
        if module.type and module.method:
            assert module.method in (BUILT_IN.get(module.type), FROM_WEIGHTS.get(module.type))


def test_a_module_of_maps_that_nobody_makes_names_the_others() -> None:
    with pytest.raises(InvalidField, match=r"known: none, canny, depth") as refused:
        module_of("reference_only", "controlnet_module")
    assert refused.value.field == "controlnet_module"


def test_only_modules_whose_maps_can_be_made_are_offered(known: Preprocessors) -> None:
    names = [module.name for module in offered(known)]
    assert {"none", "canny", "mlsd", "scribble_xdog", "hed"} <= set(names)
    assert not {"depth", "openpose", "segmentation"} & set(names)


def test_another_method_than_the_one_asked_for_is_remarked(known: Preprocessors) -> None:
    assert module_of("canny", "m").remark(known) is None
    assert NONE.remark(known) is None
    assert module_of("softedge_hed", "m").remark(known) == "hed is not here; the softedge map is made by gradients"


def test_where_no_map_can_be_made_there_is_nothing_to_remark(known: Preprocessors) -> None:
    assert module_of("depth_leres", "m").remark(known) is None


def test_a_broken_preprocessor_is_not_offered(tmp_path: Path) -> None:
    broken = read_preprocessors({"softedge": tmp_path / "gone"}, DigestCache().sha256)
    assert "hed" not in [module.name for module in offered(broken)]
