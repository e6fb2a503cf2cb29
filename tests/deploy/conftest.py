"""Whoever asks the composition that a module has started, as its fixture `installation`."""

from collections.abc import AsyncIterator

import httpx
import pytest

from deploy.local.topology import Topology


@pytest.fixture
async def client(installation: tuple[Topology, str]) -> AsyncIterator[httpx.AsyncClient]:
    topology, key = installation
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(base_url=topology.url, headers=headers, timeout=90, trust_env=False) as client:
        yield client
