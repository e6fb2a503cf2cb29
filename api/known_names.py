"""Which names a field of a request could hold."""

from collections.abc import Callable
from typing import Any

from darkroom.catalog import SCHEDULERS, Catalog


def _models(catalog: Catalog) -> list[str]:
    return [spec.name for spec in catalog.specs()]


# Where the name stands, places in lists left out.
_KNOWN: dict[tuple[str, ...], Callable[[Catalog], list[str]]] = {
    ("model",): _models,
    ("refiner", "model"): _models,
    ("scheduler",): lambda _: list(SCHEDULERS),
    ("vae",): lambda catalog: [spec.name for spec in catalog.vaes.specs()],
    ("loras", "model"): lambda catalog: [spec.name for spec in catalog.loras.specs()],
    ("controlnets", "model"): lambda catalog: [spec.name for spec in catalog.controlnets.specs()],
}


def known_at(location: tuple[Any, ...], catalog: Catalog) -> list[str] | None:
    """None where a field holds no name of the catalog. `location` begins with where the value came from."""
    known = _KNOWN.get(tuple(piece for piece in location[1:] if isinstance(piece, str)))
    return known(catalog) if known and location[0] == "body" else None
