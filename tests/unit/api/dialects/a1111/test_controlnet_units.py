"""Units of ControlNet -> controls of ours."""

import contextlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.dialects.a1111.asking import asking_of
from api.dialects.a1111.controlnet_units import FIELD, controls
from api.dialects.a1111.txt2img import text_to_image
from api.dialects.remarks import Remarks
from darkroom.contract.generation import ControlAsked
from darkroom.errors import InvalidField, UnknownControlnet
from tests.unit.api.dialects.a1111.bodies import WEBUIAPI_TXT2IMG, WEBUIAPI_UNIT
from tests.unit.api.dialects.a1111.conftest import Asks, shipped
from tests.unit.api.dialects.a1111.test_txt2img import WILD

IMAGE = "aW1hZ2U="
UNIT = {**WEBUIAPI_UNIT, "image": IMAGE}


def body_of(*units: Any, name: str = "ControlNet") -> dict[str, Any]:
    return {"prompt": "a cat", "alwayson_scripts": {name: {"args": list(units)}}}


def one(asks: Asks, unit: dict[str, Any]) -> dict[str, Any]:
    (control,) = controls(asks(body_of({"image": IMAGE, **unit})))
    return control


def remarked(asks: Asks, unit: dict[str, Any]) -> list[str]:
    asking = asks(body_of({"image": IMAGE, "module": "canny", **unit}))
    controls(asking)
    return [notice.field for notice in asking.remarks.notices]


def test_a_unit_of_webuiapi_is_a_control_and_warns_nobody(asks: Asks) -> None:
    body = {**WEBUIAPI_TXT2IMG, "alwayson_scripts": {"ControlNet": {"args": [UNIT]}}}
    asked = text_to_image(asks(body, strict=True))
    assert asked.controlnets == (
        ControlAsked(type="canny", image=IMAGE, model="tiny-canny", scale=1.0, start=0.0, end=1.0, preprocess=True),
    )


@pytest.mark.parametrize("name", ["ControlNet", "controlnet", "CONTROLNET"])
def test_the_script_has_any_spelling(asks: Asks, name: str) -> None:
    assert len(controls(asks(body_of(UNIT, name=name)))) == 1


def test_units_that_are_left_over_from_before_are_not_used(asks: Asks) -> None:
    leftovers = [{**UNIT, "enabled": False, "model": "gone"}, {"enabled": False}, None, False, True, []]
    assert controls(asks(body_of(*leftovers))) == []
    assert len(controls(asks(body_of(False, True, UNIT)))) == 1


@pytest.mark.parametrize(
    ("args", "fields"),
    [("canny", ["0"]), (7, ["0"]), ([False, "canny", None, UNIT, [UNIT]], ["1", "4"]), (None, []), (True, [])],
)
def test_what_is_no_unit_is_remarked(asks: Asks, args: Any, fields: list[str]) -> None:
    asking = asks({"prompt": "a cat", "alwayson_scripts": {"ControlNet": {"args": args}}})
    controls(asking)
    assert [notice.field for notice in asking.remarks.notices] == [f"{FIELD}.{place}" for place in fields]


def test_a_unit_that_is_wrong_is_named_by_the_place_that_it_was_sent_in(asks: Asks) -> None:
    with pytest.raises(InvalidField) as refused:
        controls(asks(body_of(False, None, {})))
    assert refused.value.field == f"{FIELD}.2.model"


@pytest.mark.parametrize("scripts", [{}, {"ControlNet": {"args": []}}, {"ControlNet": {}}, {"ControlNet": None}])
def test_without_units_there_are_no_controls(asks: Asks, scripts: Any) -> None:
    assert controls(asks({"prompt": "a cat", "alwayson_scripts": scripts})) == []


def test_old_names_of_fields_are_understood(asks: Asks) -> None:
    unit = {"image": "", "input_image": IMAGE, "module": "canny", "lowvram": True, "guidance": 0.5, "weight": 0.75}
    control = one(asks, unit)
    assert (control["image"], control["end"], control["scale"]) == (IMAGE, 0.5, 0.75)


def test_a_picture_may_come_with_a_mask_which_is_remarked(asks: Asks) -> None:
    assert one(asks, {"module": "canny", "image": {"image": IMAGE, "mask": None}})["image"] == IMAGE
    assert remarked(asks, {"image": {"image": IMAGE, "mask": "bWFzaw=="}}) == [f"{FIELD}.0.mask"]


@pytest.mark.parametrize(
    ("unit", "kind", "model", "preprocess"),
    [
        ({"module": "none", "model": "tiny-canny"}, "canny", "tiny-canny", False),
        ({"model": "TINY-CANNY"}, "canny", "tiny-canny", False),
        ({"module": "canny", "model": "None"}, "canny", None, True),
        ({"module": "depth_midas", "model": ""}, "depth", None, True),
        ({"module": "softedge_hed"}, "softedge", None, True),
        ({"module": "openpose_full"}, "openpose", None, True),
    ],
)
def test_module_and_model_tell_what_the_map_shows(
    asks: Asks, unit: dict[str, str], kind: str, model: str | None, preprocess: bool
) -> None:
    control = one(asks, unit)
    assert (control["type"], control["model"], control["preprocess"]) == (kind, model, preprocess)


@pytest.mark.parametrize(
    "unit",
    [
        {"control_mode": "ControlNet is more important"},
        {"control_mode": 1},
        {"hr_option": "Low res only"},
        {"threshold_a": 30},
        {"processor_res": 1024},
        {"mask": "bWFzaw=="},
    ],
)
def test_what_has_no_effect_is_remarked(asks: Asks, unit: dict[str, Any]) -> None:
    assert remarked(asks, unit) == [f"{FIELD}.0.{next(iter(unit))}"]


def test_in_img2img_a_unit_without_a_picture_has_the_one_that_is_drawn_over(asks: Asks) -> None:
    body = {**body_of({"module": "canny", "image": None}), "init_images": ["b3RoZXI="]}
    assert [control["image"] for control in controls(asks(body))] == ["b3RoZXI="]


@pytest.mark.parametrize(
    ("unit", "kind", "field"),
    [
        ({"module": "canny", "image": ""}, InvalidField, "image"),
        ({"module": "canny", "image": 7}, InvalidField, "image"),
        ({"module": "inpaint_only"}, InvalidField, "module"),
        ({"module": "canny", "model": "sd15-depth"}, UnknownControlnet, "model"),
        ({}, InvalidField, "model"),
        ({"module": "canny", "weight": "much"}, InvalidField, "weight"),
        ({"enabled": "maybe"}, InvalidField, "enabled"),
    ],
)
def test_a_unit_that_is_wrong_is_named(asks: Asks, unit: dict[str, Any], kind: type[InvalidField], field: str) -> None:
    with pytest.raises(kind) as refused:
        controls(asks(body_of({"image": IMAGE, **unit})))
    assert refused.value.field == f"{FIELD}.0.{field}"


@settings(max_examples=50)
@given(st.lists(st.dictionaries(st.sampled_from([*WEBUIAPI_UNIT, "image", "guidance"]), WILD, max_size=6), max_size=3))
def test_any_units_are_controls_or_a_refusal(units: list[Any]) -> None:
    with contextlib.suppress(InvalidField):
        assert len(controls(asking_of(body_of(*units), {}, shipped(), Remarks()))) <= len(units)
