"""Which addresses may be connected to: decided where the connection is made, so that no second look-up can differ."""

import socket
from collections.abc import Callable, Iterable
from contextlib import suppress
from copy import copy
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

import httpcore

from darkroom.errors import UrlRefused
from darkroom.outbound.resolver import Resolve, SystemResolver

Network = IPv4Network | IPv6Network

# Global by `ipaddress`, and yet not the public network: a cloud's own services, relays, and wrapped IPv4.
_NOT_PUBLIC = tuple(
    ip_network(text)
    for text in ("192.0.0.0/24", "192.88.99.0/24", "168.63.129.16/32", "2001::/23", "2002::/16", "3fff::/20")
)
_UNICAST = IPv6Network("2000::/3")
_MOST_TRIED = 4  # addresses of one host


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether an address is an ordinary one of the public network."""
    if isinstance(address, IPv6Address) and (address not in _UNICAST or address.scope_id):
        return False
    return address.is_global and not address.is_multicast and not any(address in network for network in _NOT_PUBLIC)


class Guard(httpcore.AsyncNetworkBackend):
    """Connects to vetted addresses alone: a host with one inner address is refused whole."""

    def __init__(
        self,
        allow: Iterable[Network] = (),
        ports: Iterable[int] = (80, 443),
        resolver: Resolve | None = None,
        network: httpcore.AsyncNetworkBackend | None = None,
    ) -> None:
        self._allow = tuple(allow)
        self._ports = frozenset(ports)
        self._shares: Callable[[str], Resolve] = (lambda _: resolver) if resolver else SystemResolver().of
        self._resolve = self._shares("")
        self._network = network or httpcore.AnyIOBackend()

    def on_behalf_of(self, tenant: str) -> "Guard":
        """The same, its look-ups counted as this tenant's."""
        theirs = copy(self)
        theirs._resolve = self._shares(tenant)
        return theirs

    def refuse_at_sight(self, host: str, port: int) -> None:
        """Refuse what no look-up could make good: a port, or an address written out. Raises: UrlRefused."""
        literal = _literal(host)
        if port not in self._ports or (literal is not None and not self._permitted(literal)):
            raise UrlRefused("the URL cannot be fetched")

    async def vetted(self, host: str, port: int) -> tuple[str, ...]:
        """The addresses to connect to: all that the host has.

        Raises:
            UrlRefused: the port is not one of ours to use, or the host has an address that is not public, or none.
        """
        if port not in self._ports:
            raise UrlRefused("the URL cannot be fetched")
        try:
            addresses = [ip_address(text) for text in await self._resolve(host, port)]
        except (OSError, ValueError):
            addresses = []
        if not addresses or not all(map(self._permitted, addresses)):
            raise UrlRefused("the URL cannot be fetched")
        return tuple(map(str, addresses))

    def _permitted(self, address: IPv4Address | IPv6Address) -> bool:
        return is_public(address) or any(address in network for network in self._allow)

    async def connect_tcp(self, host: str, port: int, *args: Any, **options: Any) -> httpcore.AsyncNetworkStream:
        """To the first of the vetted addresses that somebody answers at."""
        *others, last = (await self.vetted(host, port))[:_MOST_TRIED]
        for address in others:
            with suppress(httpcore.ConnectError, httpcore.ConnectTimeout):
                return await self._network.connect_tcp(address, port, *args, **options)
        return await self._network.connect_tcp(last, port, *args, **options)

    async def connect_unix_socket(self, path: str, *args: Any, **options: Any) -> httpcore.AsyncNetworkStream:
        raise UrlRefused("the URL cannot be fetched")

    async def sleep(self, seconds: float) -> None:
        await self._network.sleep(seconds)


def _literal(host: str) -> IPv4Address | IPv6Address | None:
    """The address that a host is, in any way in which resolvers read one (127.1, 0x7f000001); None for a name."""
    try:
        return ip_address(host)
    except ValueError:
        pass
    try:
        return IPv4Address(socket.inet_aton(host))
    except OSError:
        return None
