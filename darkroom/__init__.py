"""darkroom: a self-hosted Stable Diffusion service. `from darkroom import Client` asks one for pictures."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from darkroom.client import AsyncClient, Client, ClientError

__version__ = "0.1.0"
__all__ = ["AsyncClient", "Client", "ClientError"]


def __getattr__(name: str) -> Any:
    """The client when it is asked for: every process of the service imports this package, and few want one."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module("darkroom.client"), name)
