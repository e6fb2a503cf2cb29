"""Several applications in one process."""

import pytest

from api.app import create_app
from tests.fakes import fake_services
from tests.gateway import GENERATIONS, ask, client_of


async def test_applications_share_routes_and_nothing_that_is_behind_them() -> None:
    mine, other = fake_services(), fake_services()
    async with client_of(mine) as here, client_of(other) as there:
        job = await ask(here)
        assert (await here.get(f"{GENERATIONS}/{job['id']}")).status_code == 200
        assert (await there.get(f"{GENERATIONS}/{job['id']}")).status_code == 404
    ours, theirs = (create_app(services).routes for services in (mine, other))
    assert {id(route) for route in ours} & {id(route) for route in theirs}


async def test_an_application_has_the_dialects_of_its_own_settings() -> None:
    speaking, silent = fake_services(compat=("openai",)), fake_services(compat=())
    async with client_of(speaking) as here, client_of(silent) as there:
        assert (await here.get("/v1/models")).status_code == 200
        assert (await there.get("/v1/models")).status_code == 404


def test_services_of_tests_ask_no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DARKROOM_LOG_LEVEL", "debug")
    assert fake_services().settings.log_level == "info"
