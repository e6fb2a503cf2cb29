"""Which model a request means: ours by name, or one of OpenAI's that its client cannot but name."""

import re
from collections.abc import Mapping
from typing import Any

from api.dialects.remarks import Remarks
from darkroom.catalog import Catalog
from darkroom.contract.model import ModelSpec
from darkroom.errors import InvalidField

# Clients have these built in, and offer no others.
_OF_OPENAI = re.compile(r"(dall-e|gpt-image|chatgpt-image)-[a-z0-9.-]{1,48}")
MOST_CHARS = 128


def model_of(said: Any, catalog: Catalog, aliases: Mapping[str, str], remarks: Remarks) -> ModelSpec:
    """`aliases`: those of the operator, name -> model.

    Raises: InvalidField; UnknownModel for a name that nobody gave; ModelError for a model that is broken.
    """
    if said in (None, ""):
        return catalog.spec(catalog.default)
    if not isinstance(said, str) or len(said) > MOST_CHARS:
        raise InvalidField("model", f"must be a text of at most {MOST_CHARS} characters")
    if said in aliases:
        return catalog.spec(aliases[said])
    if is_of_openai(said) and not any(spec.name == said for spec in catalog.specs()):
        remarks.note("model", f"{said} is not here, and {catalog.default} made the pictures")
        return catalog.spec(catalog.default)
    return catalog.spec(said)


def is_of_openai(name: str) -> bool:
    return _OF_OPENAI.fullmatch(name) is not None
