import pytest
from fastapi.exceptions import RequestValidationError

from api.dialects.requested import in_words_of, requested
from darkroom.contract.generation import Inpaint, TextToImage
from darkroom.errors import InvalidField, UrlRefused


def test_what_is_left_out_is_left_to_the_planner() -> None:
    asked = requested({"prompt": "a cat", "steps": None, "loras": [{"model": "neon", "weight": 1}]})
    assert isinstance(asked, TextToImage)
    assert asked.steps is None
    assert asked.loras[0].weight == 1.0


def test_the_task_follows_from_what_is_there() -> None:
    assert isinstance(requested({"prompt": "a cat", "image": "AA==", "mask": "AA=="}), Inpaint)


def test_errors_name_the_fields_of_the_dialect() -> None:
    with pytest.raises(RequestValidationError) as refused:
        requested({"prompt": "a cat", "guidance_scale": 1000.0}, {"guidance_scale": "cfg_scale"})
    assert refused.value.errors()[0]["loc"] == ("body", "cfg_scale")


def test_nothing_is_turned_into_what_it_is_not() -> None:
    with pytest.raises(RequestValidationError):
        requested({"prompt": "a cat", "steps": "20"})


def test_what_is_refused_later_is_named_as_the_caller_named_it_too() -> None:
    with pytest.raises(InvalidField) as refused, in_words_of({"width": "parameters.width"}):
        raise InvalidField("width", "too wide")
    assert refused.value.field == "parameters.width"
    error = UrlRefused("nobody goes there")
    error.field = "controlnets.0.image"
    with pytest.raises(UrlRefused), in_words_of({"controlnets": "units"}):
        raise error
    assert error.field == "units.0.image"
