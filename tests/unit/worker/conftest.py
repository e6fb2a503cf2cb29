"""A worker at work."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.unit.worker.shop import Shop


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    """A running worker with nothing to do."""
    shop = Shop()
    running = asyncio.create_task(shop.intake.run())
    await asyncio.sleep(0)
    try:
        yield shop
    finally:
        shop.ledger.away = shop.store.away = False
        shop.intake.drain()
        await running
