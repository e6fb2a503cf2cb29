"""How often pictures may be looked up.

Whoever may ask without end whether a mark is still read can search for the change that removes it, or for the one that
carries it over to another picture (Cox et al., "Digital Watermarking and Steganography", 2nd ed., 10.3: sensitivity
analysis). So lookups are counted, over all gateways, for the tenant and for the address; while the ledger is away each
gateway counts by itself, since a detector that falls silent with Redis would serve nobody.
"""

import ipaddress
import math
import time
from collections.abc import Mapping
from typing import Annotated, Final

from fastapi import Depends, Request

from api.deps import ServicesOf, Tenant
from darkroom.errors import LedgerUnavailable, RateLimited
from darkroom.ledger.allowances import Allowances

_V6_NETWORK: Final = 64  # bits: what one customer of a provider is given at least (RFC 6177)


class OwnCount:
    """What this gateway has seen by itself, for as long as nobody knows what the others see."""

    def __init__(self) -> None:
        self._allowances = Allowances()

    def spend(self, per_minute: Mapping[str, int]) -> float:
        """As `Ledger.spend`."""
        return self._allowances.spend(per_minute, int(time.monotonic() * 1000)) / 1000


async def looker_of(request: Request, services: ServicesOf, tenant: Tenant) -> str:
    """The caller's tenant, one lookup poorer. For every route that tells what a picture carries.

    Raises: Unauthenticated, RateLimited.
    """
    settings = services.settings
    allowances = {
        f"lookup tenant {tenant}": settings.verify_per_minute,
        f"lookup address {network_of(request)}": settings.verify_per_minute_and_address,
    }
    try:
        wait = await services.ledger.spend(allowances)
    except LedgerUnavailable:
        own: OwnCount = request.app.state.own_count
        wait = own.spend(allowances)
    if wait > 0:
        raise RateLimited("you have looked up as many pictures as you may in a minute", max(1, math.ceil(wait)))
    return tenant


def network_of(request: Request) -> str:
    """The caller's address; of IPv6 the network, within which a caller has addresses without end."""
    host = request.client.host if request.client else ""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    return str(address.ipv4_mapped or ipaddress.ip_network((address, _V6_NETWORK), strict=False))


Looker = Annotated[str, Depends(looker_of)]
