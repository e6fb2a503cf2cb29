"""The ControlNets of a request: found by type, settled by content, refused where they do not fit."""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from darkroom.catalog import Catalog, Controlnets
from darkroom.catalog.preprocessors import read_preprocessors
from darkroom.catalog.weights import fresh_sha256
from darkroom.contract.controlnet import ControlnetSpec, NamedControlnet
from darkroom.contract.generation import GenerationRequest, TextToImage
from darkroom.contract.inputs import MaskedPicture, NoPicture, OnePicture
from darkroom.contract.plan import GenerationPlan
from darkroom.contract.start import Box, PictureRef
from darkroom.errors import ControlnetMisfit, InvalidField, PreprocessorUnavailable, UnknownControlnet
from darkroom.planner import plan
from tests.unit.planner.test_plan import SPEC

PICTURE = PictureRef(sha256="a" * 64, width=100, height=100)


def net(name: str, kind: Any, misfit: str = "") -> ControlnetSpec:
    return ControlnetSpec(
        name=name,
        type=kind,
        path=f"/nets/{name}",
        weights="diffusion_pytorch_model.safetensors",
        sha256="cd" * 32,
        bytes=1,
        models=() if misfit else ("portrait",),
        misfits={"portrait": misfit} if misfit else {},
    )


NETS = Controlnets(
    [
        net("lines", "canny"),
        net("lines-xl", "canny", "it reads words 2048 wide"),
        net("pens", "scribble"),
        net("pencils", "scribble"),
        net("far", "depth"),
        net("walls", "mlsd", "its middle is 640 wide"),
    ]
)
CATALOG = Catalog([SPEC], default="portrait", controlnets=NETS, preprocessors=read_preprocessors({}, fresh_sha256))


def planned(*controls: dict[str, Any], **fields: Any) -> GenerationPlan:
    asked = tuple({"image": "aGk=", **control} for control in controls)
    request = TextToImage.model_validate({"prompt": "a", "steps": 10, "controlnets": asked, **fields})
    pictures = NoPicture(controls=(PICTURE,) * len(controls))
    return plan(request, CATALOG, pictures, now=0.0, seed_source=lambda: 7)


def refused(*controls: dict[str, Any]) -> tuple[type, str, str]:
    with pytest.raises(InvalidField) as raised:
        planned(*controls)
    return type(raised.value), raised.value.field, raised.value.detail


def test_the_one_that_fits_is_found_by_its_type() -> None:
    (control,) = planned({"type": "canny"}).controls
    assert control.net == NamedControlnet(name="lines", sha256="cd" * 32)
    assert (control.scale, control.start, control.end, control.preprocess) == (1.0, 0.0, 1.0, True)
    assert control.image == PICTURE


def test_where_several_fit_one_must_be_named() -> None:
    kind, field, detail = refused({"type": "canny"}, {"type": "scribble"})
    assert (kind, field) == (InvalidField, "controlnets.1.model")
    assert "pencils, pens" in detail
    (control,) = planned({"type": "scribble", "model": "pens"}).controls
    assert control.net.name == "pens"


@pytest.mark.parametrize(
    ("control", "error", "field", "words"),
    [
        ({"type": "mlsd"}, ControlnetMisfit, "controlnets.0.type", "its middle is 640 wide"),
        ({"type": "openpose"}, ControlnetMisfit, "controlnets.0.type", "no ControlNet of type openpose"),
        ({"type": "canny", "model": "lines-xl"}, ControlnetMisfit, "controlnets.0.model", "2048 wide"),
        ({"type": "canny", "model": "pens"}, ControlnetMisfit, "controlnets.0.model", "scribble"),
        ({"type": "canny", "model": "nope"}, UnknownControlnet, "controlnets.0.model", "lines"),
        ({"type": "depth"}, PreprocessorUnavailable, "controlnets.0.type", "weights"),
    ],
)
def test_what_cannot_be_used_is_refused_by_field(control: dict[str, Any], error: type, field: str, words: str) -> None:
    kind, where, detail = refused(control)
    assert (kind, where) == (error, field)
    assert words in detail


def test_a_map_needs_no_preprocessor() -> None:
    (control,) = planned({"type": "depth", "preprocess": False}).controls
    assert (control.net.name, control.preprocessor) == ("far", "")


def test_what_makes_the_map_of_a_picture_is_in_the_plan() -> None:
    (control,) = planned({"type": "canny"}).controls
    assert control.preprocessor == CATALOG.preprocessors.spec("canny", "").digest


def stretched(control: tuple[int, int], image: tuple[int, int], **fields: Any) -> bool:
    """Whether a control of this size is said to be stretched beside a picture of that size."""
    asked = {"prompt": "a", "controlnets": ({"type": "canny", "image": "x"},), "image": "x", **fields}
    pictures = {
        "controls": (PICTURE.model_copy(update={"width": control[0], "height": control[1]}),),
        "image": PICTURE.model_copy(update={"width": image[0], "height": image[1]}),
    }
    part = Box(left=0, top=0, width=64, height=64)
    told = MaskedPicture(**pictures, mask=PICTURE, masked=part) if "mask" in fields else OnePicture(**pictures)
    settled = plan(TypeAdapter[Any](GenerationRequest).validate_python(asked), CATALOG, told, now=0.0)
    return "controlnets.0.image" in [notice.field for notice in settled.warnings]


def test_a_control_of_another_shape_than_what_it_steers_is_said_to_be_stretched() -> None:
    assert stretched((100, 50), (512, 512))
    assert not stretched((100, 50), (1000, 501)), "the grid is no other shape"
    assert stretched((512, 512), (512, 256), mask="x", only_masked=True)
    assert not stretched((512, 256), (1024, 512), mask="x", only_masked=True), "it is cut as the picture is"


def test_a_control_beside_a_picture_that_grows_has_its_size_or_the_shape_of_the_whole() -> None:
    grown: dict[str, Any] = {"expand": {"right": 256}}
    assert not stretched((256, 512), (256, 512), **grown)
    assert not stretched((64, 64), (256, 512), **grown)
    assert stretched((128, 256), (256, 512), **grown)


def test_what_has_no_effect_is_left_out_and_said() -> None:
    settled = planned({"type": "canny", "scale": 0}, {"type": "canny", "start": 0.41, "end": 0.49})
    assert settled.controls == ()
    assert [notice.field for notice in settled.warnings] == ["controlnets.0.scale", "controlnets.1.end"]


def test_a_control_costs_as_long_as_it_counts() -> None:
    plain, half, full = planned(), planned({"type": "canny", "end": 0.5}), planned({"type": "canny"})
    assert half.predicted_seconds == pytest.approx(1.2 * plain.predicted_seconds)
    assert full.predicted_seconds == pytest.approx(1.4 * plain.predicted_seconds)


def test_a_control_of_the_second_stage_alone_is_kept_and_costs_that_stage() -> None:
    fields: dict[str, Any] = {"steps": 2, "hires": {"scale": 1.5, "steps": 20}}
    plain, settled = planned(**fields), planned({"type": "canny", "start": 0.3, "end": 0.6}, **fields)
    assert len(settled.controls) == 1
    assert settled.warnings == plain.warnings
    # Passes 5 to 7 of 14, each of 2.25 times the pixels.
    added = settled.predicted_seconds - plain.predicted_seconds
    assert added == pytest.approx(0.4 * 3 * 2.25 * SPEC.seconds_per_step)


def test_a_control_that_counts_in_neither_stage_is_left_out() -> None:
    settled = planned({"type": "canny", "start": 0.41, "end": 0.42}, steps=2, hires={"scale": 1.5, "steps": 20})
    assert settled.controls == ()
    assert [(notice.field, "2 or 14" in notice.reason) for notice in settled.warnings] == [("controlnets.0.end", True)]


def test_a_plan_with_controls_survives_json_and_older_plans_have_none() -> None:
    settled = planned({"type": "canny", "scale": 0.5, "start": 0.1, "end": 0.9})
    assert GenerationPlan.model_validate_json(settled.model_dump_json()) == settled
    older = planned().model_dump(mode="json", exclude={"controls"})
    assert GenerationPlan.model_validate(older) == planned()


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"type": "sketch"}, "type"),
        ({"scale": 2.1}, "scale"),
        ({"scale": -0.1}, "scale"),
        ({"scale": True}, "scale"),
        ({"scale": float("nan")}, "scale"),
        ({"start": 0.5, "end": 0.5}, "end"),
        ({"start": 1.0}, "start"),
        ({"end": 1.01}, "end"),
        ({"preprocess": 1}, "preprocess"),
        ({"image": ""}, "image"),
        ({"image": None}, "image"),
        ({"weight": 1.0}, "weight"),
    ],
)
def test_what_is_out_of_range_is_refused_by_field(wrong: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as raised:
        planned({"type": "canny", **wrong})
    assert ("controlnets", 0, field) in [error["loc"] for error in raised.value.errors()]


def test_four_are_enough() -> None:
    assert len(planned(*[{"type": "canny"}] * 4).controls) == 4
    with pytest.raises(ValidationError, match="at most 4"):
        planned(*[{"type": "canny"}] * 5)
