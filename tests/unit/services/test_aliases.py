"""Names that stand for models, checked before anybody is served."""

from pathlib import Path

import pytest

from darkroom.errors import ConfigurationError
from darkroom.services import build_gateway_services
from darkroom.settings import Settings


def test_a_name_that_stands_for_no_model_stops_the_gateway(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"'fast' stands for 'tinny', which is no model"):
        build_gateway_services(Settings(home=tmp_path, model_aliases={"fast": "tinny"}))


async def test_a_name_may_stand_for_a_model_that_is_broken_today(tmp_path: Path) -> None:
    models = {"gone": tmp_path / "gone"}
    services = build_gateway_services(Settings(home=tmp_path, models=models, model_aliases={"a": "gone", "b": "tiny"}))
    await services.close()
