from collections.abc import AsyncIterator

import httpx
import pytest

from darkroom.services import Services
from tests.fakes import fake_services
from tests.gateway import client_of


@pytest.fixture
def services() -> Services:
    return fake_services(model_aliases={"turbo": "tiny"})


@pytest.fixture
async def client(services: Services) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(services) as client:
        yield client
