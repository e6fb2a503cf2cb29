from pathlib import Path

import pytest

from api.dialects.model_names import model_named
from darkroom.errors import UnknownModel
from darkroom.settings import Settings
from tests.fakes import fake_catalog

SETTINGS = Settings(
    models={"tiny": Path("hf:Maker/Embedded-One@main")}, model_aliases={"sd-Turbo": "tiny", "a/b": "no"}
)


@pytest.mark.parametrize(
    "said", ["tiny", "TINY", "someone/tiny", "/some/one/tiny/", "maker/embedded-one", "SD-turbo", "x/sd-turbo"]
)
def test_a_model_is_found_by_its_name_its_last_part_an_alias_or_where_it_came_from(said: str) -> None:
    assert model_named(said, fake_catalog(), SETTINGS) == "tiny"


@pytest.mark.parametrize("said", ["", "/", "tiny/else", "embedded-one", "a/b", "x" * 100_000])
def test_a_model_that_is_not_known_is_named_with_those_that_are(said: str) -> None:
    with pytest.raises(UnknownModel, match="known: tiny") as refused:
        model_named(said, fake_catalog(), SETTINGS)
    assert len(refused.value.detail) < 300
