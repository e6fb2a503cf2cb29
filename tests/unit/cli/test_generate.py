"""What the options of `darkroom generate` come to."""

import pytest
import typer

from darkroom.cli.generate import _parse_lora


@pytest.mark.parametrize(
    ("words", "name", "weight"), [("neon:0.8", "neon", 0.8), ("neon", "neon", 1.0), ("old.v2:-1", "old.v2", -1.0)]
)
def test_a_lora_is_a_name_and_a_weight(words: str, name: str, weight: float) -> None:
    assert _parse_lora(words) == {"model": name, "weight": weight}


def test_a_weight_that_is_no_number_is_wrong_usage() -> None:
    with pytest.raises(typer.BadParameter, match="neon:much"):
        _parse_lora("neon:much")
