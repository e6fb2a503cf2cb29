"""Which of our models a caller means, who knows it by the name it has elsewhere."""

from typing import Final

from darkroom.catalog import Catalog
from darkroom.catalog.hub import hub_id
from darkroom.settings import Settings

_MOST_CHARS: Final = 128


def model_named(said: str, catalog: Catalog, settings: Settings, field: str = "model") -> str:
    """Our name of a model that is named by it, by an alias, by the repository it came from, or as `owner/name`.

    Raises: UnknownModel, which lists those there are; ModelError for one that is broken.
    """
    whole = said.strip("/").lower()
    last = whole.rpartition("/")[2]
    aliases = {alias.lower(): name for alias, name in settings.model_aliases.items()}
    known = {spec.name for spec in catalog.specs()} | {entry.name for entry in catalog.unavailable()}
    meant = (whole, aliases.get(whole), _from_hub(whole, settings), last, aliases.get(last))
    found = next((name for name in meant if name in known), None)
    return catalog.spec(found or said[:_MOST_CHARS], field).name


def _from_hub(repository: str, settings: Settings) -> str | None:
    """The model whose place is this repository of the hub."""
    for name, place in settings.models.items():
        found = hub_id(place)
        if found is not None and found.repository.lower() == repository:
            return name
    return None
