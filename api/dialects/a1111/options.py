"""What a caller set by `POST /sdapi/v1/options`, each for itself."""

from collections.abc import Mapping
from typing import Any

from darkroom.services import Services


async def options_of(services: Services, tenant: str) -> Mapping[str, Any]:
    """By A1111's names; only what was set."""
    del services, tenant
    return {}
