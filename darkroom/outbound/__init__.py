"""Reaching addresses that strangers name, and none that only we can reach."""

from darkroom.outbound.fetching import Limits, fetch
from darkroom.outbound.guard import Guard
from darkroom.outbound.posting import Answer, admitted, post

__all__ = ["Answer", "Guard", "Limits", "admitted", "fetch", "post"]
