import base64
from collections.abc import AsyncIterator

import httpx
import pytest

from darkroom.services import Services
from tests.fakes import fake_services
from tests.gateway import API_KEYS, client_of

WEBHOOK_SECRET = f"whsec_{base64.b64encode(bytes(range(32))).decode()}"


@pytest.fixture
def services() -> Services:
    """Nobody is served without a key."""
    return fake_services(allow_anonymous=False, api_keys=API_KEYS, webhook_secrets={"alice": [WEBHOOK_SECRET]})


@pytest.fixture
async def client(services: Services) -> AsyncIterator[httpx.AsyncClient]:
    """Who has not said yet who it is."""
    async with client_of(services) as client:
        yield client
