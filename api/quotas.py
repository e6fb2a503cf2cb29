"""What a caller may still ask for, before anything is read for it."""

from darkroom.errors import RateLimited
from darkroom.services import Services
from darkroom.settings import Settings
from darkroom.settings.quotas import Quota


def quota_of(settings: Settings, tenant: str) -> Quota:
    return settings.tenants.get(tenant, Quota())


async def spend_one(services: Services, tenant: str) -> Quota:
    """Count a generation that is asked for; returns its tenant's quota. Raises: RateLimited, LedgerUnavailable."""
    quota = quota_of(services.settings, tenant)
    if quota.per_minute is not None:
        wait = await services.ledger.spend({f"generations of {tenant}": quota.per_minute})
        if wait > 0:
            raise RateLimited(f"you may ask for {quota.per_minute} generations a minute", max(1, round(wait + 0.5)))
    return quota
