"""Is this host this machine and nobody else?"""

from ipaddress import ip_address


def is_loopback(host: str) -> bool:
    """For an address or a name; of names only `localhost` is known to be."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
