"""The fields that editors know are those of the contract."""

from typing import Any, get_args, get_type_hints

import pytest
from pydantic import BaseModel

from darkroom.client.fields import (
    ControlFields,
    ExpandFields,
    Fields,
    HiresFields,
    LoraFields,
    RefinerFields,
    SafetyFields,
)
from darkroom.contract.generation import (
    ControlAsked,
    Expand,
    GenerationRequest,
    HiresAsked,
    LoraAsked,
    RefinerAsked,
)
from darkroom.contract.safety import SafetyAsked


def tasks() -> list[type[BaseModel]]:
    return [get_args(tagged)[0] for tagged in get_args(get_args(GenerationRequest)[0])]


def test_the_fields_of_a_generation_are_those_of_all_tasks() -> None:
    known = {name for task in tasks() for name in task.model_fields}
    assert set(get_type_hints(Fields)) == known - {"prompt"}


@pytest.mark.parametrize(
    ("fields", "model"),
    [
        (LoraFields, LoraAsked),
        (ControlFields, ControlAsked),
        (RefinerFields, RefinerAsked),
        (HiresFields, HiresAsked),
        (ExpandFields, Expand),
        (SafetyFields, SafetyAsked),
    ],
)
def test_the_fields_of_its_parts_are_those_of_theirs(fields: Any, model: type[BaseModel]) -> None:
    assert set(get_type_hints(fields)) == set(model.model_fields)
