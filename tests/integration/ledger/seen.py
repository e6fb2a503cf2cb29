"""What can be seen of a ledger, without the ids that are each one's own."""

from darkroom.contract.webhook import Delivery
from darkroom.ledger.deliveries import Wanted
from darkroom.ledger.protocol import Ledger


async def told(ledger: Ledger, job_id: str) -> list[tuple[object, ...]]:
    """A job's history without the ids, which are each ledger's own."""
    return [(event.name, event.at, event.data) for event in await ledger.events(job_id)]


async def deliveries_of(ledger: Ledger, tenant: str) -> tuple[Delivery, ...]:
    return (await ledger.deliveries.list(tenant, Wanted(), limit=100)).deliveries


async def attempts(ledger: Ledger, tenant: str) -> list[object]:
    found = await deliveries_of(ledger, tenant)
    return [await ledger.deliveries.get(tenant, delivery.id) for delivery in found]


async def leftovers(ledger: Ledger) -> list[tuple[str, ...]]:
    return [keys for _, keys in await ledger.leftovers()]


async def taken(ledger: Ledger, done: bool) -> list[tuple[str, ...]]:
    rows = await ledger.take_leftovers("0", 2, 10)
    if done:
        await ledger.leftovers_done(*(row for row, _ in rows[:1]))
    return [keys for _, keys in rows]
