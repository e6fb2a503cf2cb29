"""Requests of the dialect, read against the embedded model and what ships with it."""

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from api.dialects.a1111.asking import Asking, asking_of
from api.dialects.remarks import Remarks
from darkroom.catalog import Catalog, embedded_model_folder
from darkroom.catalog.digests import DigestCache
from darkroom.catalog.registry import EMBEDDED, embedded_controlnets, embedded_loras, read_catalog

Asks = Callable[..., Asking]


@cache
def shipped() -> Catalog:
    return read_catalog(
        {EMBEDDED: embedded_model_folder()},
        default=EMBEDDED,
        digests=DigestCache(),
        loras={**embedded_loras(), "neon-glow": next(iter(embedded_loras().values()))},
        controlnets=embedded_controlnets(),
    )


@pytest.fixture
def asks() -> Asks:
    """`asks(body, options, strict=...)`."""

    def ask(body: dict[str, Any], options: dict[str, Any] | None = None, *, strict: bool = False) -> Asking:
        return asking_of(body, options or {}, shipped(), Remarks(strict=strict))

    return ask
