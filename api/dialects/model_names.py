"""Which of our models a caller means, who knows it by the name it has elsewhere."""

from collections.abc import Mapping
from pathlib import Path

from darkroom.catalog import Catalog
from darkroom.catalog.hub import hub_id

_MOST_CHARS = 128


def model_named(said: str, catalog: Catalog, places: Mapping[str, Path], field: str = "model") -> str:
    """Our name of a model that is named by it, by the repository it came from, or as `owner/name`.

    `places`: where each configured model lies. Raises: UnknownModel, which lists those there are; ModelError for one
    that is broken.
    """
    whole = said.strip("/").lower()
    last = whole.rpartition("/")[2]
    known = {spec.name for spec in catalog.specs()} | {entry.name for entry in catalog.unavailable()}
    found = next((name for name in (whole, _from_hub(whole, places), last) if name in known), None)
    return catalog.spec(found or said[:_MOST_CHARS], field).name


def _from_hub(repository: str, places: Mapping[str, Path]) -> str:
    """The model whose place is this repository of the hub; empty for none."""
    for name, place in places.items():
        found = hub_id(place)
        if found is not None and found.repository.lower() == repository:
            return name
    return ""
