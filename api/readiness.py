"""Whether ledger and store can be worked with: asked of them once at a time, however many ask us."""

import asyncio
from dataclasses import dataclass

from darkroom.errors import DarkroomError, UnavailableError
from darkroom.ledger.protocol import Ledger, LedgerHealth
from darkroom.services import Services
from darkroom.storage.protocol import ObjectStore


@dataclass(frozen=True)
class Standing:
    """`problems`: why requests cannot be served. `unserved`: models that no worker serves."""

    problems: list[str]
    warnings: list[str]
    unserved: list[str]


class Readiness:
    """The route is open to everyone: who asks while an answer is looked for gets that one, so that nobody without a key
    keeps the store's threads, or Redis, busy."""

    def __init__(self) -> None:
        self._looking: asyncio.Task[Standing] | None = None

    async def of(self, services: Services) -> Standing:
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(_looked(services))
        return await asyncio.shield(self._looking)


async def _looked(services: Services) -> Standing:
    health, stored, unserved = await asyncio.gather(
        _ledger_health(services.ledger), _store_problems(services.store), _unserved(services)
    )
    warnings = [*health.warnings, *services.catalog.broken(), *map(_told_unserved, unserved)]
    return Standing([*health.problems, *stored], warnings, unserved)


async def _unserved(services: Services) -> list[str]:
    """Models we take requests for and nobody serves; none while the ledger, which would know, is away."""
    try:
        serving = await services.ledger.serving()
    except UnavailableError:
        return []
    return [spec.name for spec in services.catalog.specs() if spec.name not in serving]


def _told_unserved(model: str) -> str:
    return f"no worker serves {model}: generations with it wait until one does"


async def _ledger_health(ledger: Ledger) -> LedgerHealth:
    try:
        return await ledger.check()
    except DarkroomError as error:
        return LedgerHealth(problems=(error.detail,), warnings=())


async def _store_problems(store: ObjectStore) -> list[str]:
    try:
        await store.check()
    except DarkroomError as error:
        return [error.detail]
    return []
