"""What the ControlNet extension tells, and what it takes a body of `detect` to ask for."""

import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.dialects.a1111.controlnet_extension import Detection, control_types, detection, models, modules
from api.dialects.remarks import Remarks
from darkroom.catalog import Catalog
from darkroom.catalog.controlnets import Controlnets
from darkroom.catalog.digests import DigestCache
from darkroom.catalog.preprocessors import read_preprocessors
from darkroom.contract.controlnet import ControlnetSpec
from darkroom.errors import InvalidField
from tests.fakes import fake_catalog

KNOWN = read_preprocessors({}, DigestCache().sha256)
LETTERS = f"{string.printable}\0é猫🐈\u202e"
JSON = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(LETTERS, max_size=5)
VALUES = JSON | st.lists(JSON, max_size=3) | st.dictionaries(st.text(LETTERS, max_size=3), JSON, max_size=2)


def controlnet(name: str, kind: Any) -> ControlnetSpec:
    told = {"path": "/secret", "weights": "w", "sha256": "ab" * 32, "bytes": 1}
    return ControlnetSpec(name=name, type=kind, **told, models=("tiny",), misfits={})


CATALOG = Catalog(
    [fake_catalog().spec("tiny")],
    default="tiny",
    controlnets=Controlnets([controlnet("tiny-canny", "canny"), controlnet("tiny-depth", "depth")]),
    preprocessors=KNOWN,
)

# What webuiapi 0.9.17 sends for `controlnet_detect([picture], "canny")`.
OF_WEBUIAPI: dict[str, Any] = {
    "controlnet_module": "canny",
    "controlnet_images": ["data:image/png;base64,aGk="],
    "controlnet_processor_res": 512,
    "controlnet_threshold_a": 64,
    "controlnet_threshold_b": 64,
}


def asked(**body: Any) -> tuple[Detection, list[str]]:
    remarks = Remarks()
    return detection(body, KNOWN, remarks), [notice.field for notice in remarks.notices]


def test_controlnets_are_listed_by_their_titles() -> None:
    assert models(CATALOG) == {"model_list": ["tiny-canny [abababab]", "tiny-depth [abababab]"]}


def test_modules_are_listed_by_name_or_label_with_what_can_be_set() -> None:
    by_name, by_label = modules(KNOWN, labels=False), modules(KNOWN, labels=True)
    assert "hed" in by_name["module_list"]
    assert "softedge_hed" in by_label["module_list"]
    assert set(by_name["module_list"]) == set(by_name["module_detail"])
    assert by_name["module_detail"]["none"]["sliders"] == []
    (slider,) = by_label["module_detail"]["canny"]["sliders"]
    assert (slider["value"], slider["min"], slider["max"]) == (512, 64, 2048)


def test_each_type_of_map_offers_what_fits_it() -> None:
    told = control_types(CATALOG)["control_types"]
    assert told["Canny"] == {
        "module_list": ["none", "canny"],
        "model_list": ["None", "tiny-canny [abababab]"],
        "default_option": "canny",
        "default_model": "tiny-canny [abababab]",
    }
    assert told["Depth"]["module_list"] == ["none"]
    assert (told["MLSD"]["model_list"], told["MLSD"]["default_model"]) == (["None"], "None")
    assert (told["All"]["default_option"], len(told["All"]["model_list"])) == ("none", 3)
    assert "OpenPose" not in told


def test_what_webuiapi_sends_is_taken_without_a_remark() -> None:
    found, remarked = asked(**OF_WEBUIAPI)
    assert (found.module.name, found.resolution, found.field) == ("canny", 512, "controlnet_images")
    assert found.images == ("data:image/png;base64,aGk=",)
    assert remarked == []


def test_what_the_extension_documents_is_taken_without_a_remark() -> None:
    said = {"controlnet_input_images": ["aGk="], "controlnet_processor_res": -1, "controlnet_threshold_a": -1}
    found, remarked = asked(**said, controlnet_module="softedge_hed", controlnet_masks=[], low_vram=True)
    assert (found.module.name, found.resolution, found.field) == ("hed", 512, "controlnet_input_images")
    assert remarked == ["controlnet_module"]  # another method than HED makes it here


@pytest.mark.parametrize(
    "body", [{"controlnet_threshold_a": 10}, {"controlnet_threshold_b": 90.5}, {"controlnet_masks": ["aGk="]}]
)
def test_what_has_no_effect_is_remarked(body: dict[str, Any]) -> None:
    assert asked(**{**OF_WEBUIAPI, **body})[1] == list(body)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"controlnet_module": "reference_only"}, "controlnet_module"),
        ({"controlnet_module": ["canny"]}, "controlnet_module"),
        ({"controlnet_images": []}, "controlnet_input_images"),
        ({"controlnet_images": "aGk="}, "controlnet_images"),
        ({"controlnet_images": [{"image": "aGk="}]}, "controlnet_images"),
        ({"controlnet_images": [""]}, "controlnet_images"),
        ({"controlnet_images": ["aGk="] * 17}, "controlnet_images"),
        ({"controlnet_processor_res": 63}, "controlnet_processor_res"),
        ({"controlnet_processor_res": 10**9}, "controlnet_processor_res"),
        ({"controlnet_processor_res": True}, "controlnet_processor_res"),
        ({"controlnet_processor_res": "512"}, "controlnet_processor_res"),
    ],
)
def test_a_wrong_field_is_refused_by_its_name(body: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidField) as refused:
        asked(**{**OF_WEBUIAPI, **body})
    assert refused.value.field == field


@given(st.dictionaries(st.sampled_from([*OF_WEBUIAPI, "controlnet_input_images", "controlnet_masks", "x"]), VALUES))
def test_any_body_is_a_detection_or_refused_by_a_field_of_the_dialect(body: dict[str, Any]) -> None:
    refused_by = ""
    try:
        found, _ = asked(**body)
        assert found.images
        assert 64 <= found.resolution <= 2048
    except InvalidField as refused:
        refused_by = refused.field
    assert refused_by == "" or refused_by.startswith("controlnet_")
