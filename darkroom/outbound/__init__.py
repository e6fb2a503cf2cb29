"""Reaching addresses that strangers name, and none that only we can reach."""

from darkroom.outbound.fetching import Limits, fetch
from darkroom.outbound.guard import Guard

__all__ = ["Guard", "Limits", "fetch"]
