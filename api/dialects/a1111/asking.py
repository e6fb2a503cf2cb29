"""A request of the dialect with all that it is read by."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from api.dialects.a1111.options import CHECKPOINT, OPTIONS
from api.dialects.a1111.titles import checkpoint_of
from api.dialects.a1111.typed import Body, object_of, text_of
from api.dialects.remarks import Remarks
from darkroom.catalog import Catalog
from darkroom.contract.model import ModelSpec
from darkroom.errors import InvalidField

OVERRIDES = "override_settings"


@dataclass(frozen=True)
class Asking:
    """`chosen` are the caller's options by A1111's names, those of the request over those that were set before.

    `spec` is the model that they come to.
    """

    body: Body
    chosen: Mapping[str, Any]
    catalog: Catalog
    spec: ModelSpec
    remarks: Remarks

    def option(self, name: str) -> Any:
        return self.chosen.get(name, OPTIONS[name].default)


def asking_of(body: Body, options: Mapping[str, Any], catalog: Catalog, remarks: Remarks) -> Asking:
    """Raises: InvalidField, UnknownModel, UnknownVae, ModelError."""
    overrides = _overrides(body, catalog, remarks)
    chosen = {**options, **overrides}
    field = f"{OVERRIDES}.{CHECKPOINT}" if CHECKPOINT in overrides else CHECKPOINT
    return Asking(body, chosen, catalog, _model(body, chosen.get(CHECKPOINT), field, catalog), remarks)


def _overrides(body: Body, catalog: Catalog, remarks: Remarks) -> dict[str, Any]:
    """What the request sets for itself. Names that we do not know are not repeated: they may be anything."""
    said = {name: value for name, value in object_of(body, OVERRIDES).items() if value is not None}
    if any(value not in ("", [], {}) for name, value in said.items() if name not in OPTIONS):
        remarks.note(OVERRIDES, "holds settings that have no effect here")
    known = ((name, value) for name, value in said.items() if name in OPTIONS and value != "")
    return {name: _checked(catalog, name, value) for name, value in known}


def _checked(catalog: Catalog, name: str, value: Any) -> Any:
    try:
        return OPTIONS[name].check(catalog, name, value)
    except InvalidField as error:
        error.field = f"{OVERRIDES}.{error.field}"
        raise


def _model(body: Body, title: str | None, field: str, catalog: Catalog) -> ModelSpec:
    """`model` is what some clients call it. What was chosen long ago may not be served any more."""
    if named := text_of(body, "model"):
        return checkpoint_of(catalog, named, "model")
    return checkpoint_of(catalog, title, field) if title else catalog.spec(catalog.default)
