"""Models as OpenAI lists them."""

from collections.abc import Mapping
from typing import Any

from darkroom.catalog import Catalog


def listed(catalog: Catalog, aliases: Mapping[str, str]) -> dict[str, Any]:
    """Those that can be asked for: ours, and by the names that the operator gave them besides."""
    names = {spec.name: spec.name for spec in catalog.specs()}
    names |= {alias: name for alias, name in aliases.items() if name in names}
    return {"object": "list", "data": [described(said, name) for said, name in names.items()]}


def described(said: str, name: str) -> dict[str, Any]:
    """`created` is unknown, and 0. `root` is the model behind an alias."""
    return {"id": said, "object": "model", "created": 0, "owned_by": "darkroom", "root": name}
