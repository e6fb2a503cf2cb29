"""Options of A1111, each caller's own: there they are the whole server's, and one user changes everybody's checkpoint.

What a caller set lies in the ledger. An option that has no effect here is not kept, and is remarked.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from api.dialects.a1111.titles import checkpoint_of, checkpoint_title, vae_of
from api.dialects.remarks import Remarks
from darkroom.catalog import Catalog
from darkroom.errors import InvalidField, ModelError, UnknownModel
from darkroom.infotext.hashes import weights_sha256
from darkroom.services import Services

KIND = "a1111"
CHECKPOINT = "sd_model_checkpoint"
CHECKPOINT_HASH = "sd_checkpoint_hash"
NO_EFFECT = "has no effect here, and is not kept"
HASH_FOLLOWS = f"follows from {CHECKPOINT}"
MOST_TEXT = 300
MOST_NAME = 64

Check = Callable[[Catalog, str, Any], Any]


@dataclass(frozen=True)
class Option:
    """`check` gives a value as it is kept, or refuses it. `default` is A1111's own."""

    default: Any
    check: Check


async def options_of(services: Services, tenant: str) -> Mapping[str, Any]:
    """What this tenant set, by A1111's names; only that. Raises: LedgerUnavailable."""
    kept = await services.ledger.preferences(tenant, KIND)
    return {name: value for name, value in kept.items() if name in OPTIONS}


async def set_options(services: Services, tenant: str, body: Mapping[str, Any], remarks: Remarks) -> None:
    """Keep what `body` sets. Raises: as `changes`; LedgerUnavailable."""
    set_before = await options_of(services, tenant)
    if changed := changes(services.catalog, set_before, body, remarks):
        await services.ledger.prefer(tenant, KIND, changed)


def shown(catalog: Catalog, set_by_caller: Mapping[str, Any]) -> dict[str, Any]:
    """All options, as `GET /sdapi/v1/options` tells them."""
    options = {name: option.default for name, option in OPTIONS.items()} | dict(set_by_caller)
    options[CHECKPOINT] = options[CHECKPOINT] or checkpoint_title(catalog.spec(catalog.default))
    return {**options, CHECKPOINT_HASH: _hash_of(catalog, options[CHECKPOINT])}


def changes(
    catalog: Catalog, set_before: Mapping[str, Any], body: Mapping[str, Any], remarks: Remarks
) -> dict[str, Any]:
    """What is to be kept of `body`; None for what is the default again.

    Clients send the whole object back to change one option of it: what it says already changes nothing, and what has no
    effect is refused to nobody. Raises: UnknownModel, UnknownVae, ModelError, InvalidField.
    """
    before = shown(catalog, set_before)
    told = {name: value for name, value in body.items() if value is not None and before.get(name) != value}
    changed: dict[str, Any] = {}
    for name, value in told.items():
        if option := OPTIONS.get(name):
            kept = option.check(catalog, name, value)
            changed[name] = None if kept == shown(catalog, {})[name] else kept
        elif value not in ("", [], {}):
            remarks.note(name[:MOST_NAME], HASH_FOLLOWS if name == CHECKPOINT_HASH else NO_EFFECT)
    return changed


def _hash_of(catalog: Catalog, title: str) -> str | None:
    """None for one that is not served any more: it stays what the caller chose, and making pictures with it says so."""
    try:
        return weights_sha256(checkpoint_of(catalog, title, CHECKPOINT).weights)
    except (UnknownModel, ModelError):
        return None


def _checkpoint(catalog: Catalog, name: str, value: Any) -> str:
    return checkpoint_title(checkpoint_of(catalog, _text(catalog, name, value), name))


def _vae(catalog: Catalog, name: str, value: Any) -> str:
    found = vae_of(catalog, _text(catalog, name, value), name)
    return found.name if found else "Automatic"


def _text(_: Catalog, name: str, value: Any) -> str:
    if not isinstance(value, str) or len(value) > MOST_TEXT:
        raise InvalidField(name, "must be text")
    return value


def _flag(_: Catalog, name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise InvalidField(name, "must be true or false")
    return value


def _whole(least: int, most: int) -> Check:
    def check(_: Catalog, name: str, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise InvalidField(name, f"must be a whole number from {least} to {most}")
        return value

    return check


def _one_of(*values: str) -> Check:
    def check(_: Catalog, name: str, value: Any) -> str:
        if value not in values:
            raise InvalidField(name, f"must be one of {', '.join(values)}")
        return str(value)

    return check


OPTIONS: Mapping[str, Option] = {
    CHECKPOINT: Option(None, _checkpoint),
    "sd_vae": Option("Automatic", _vae),
    "CLIP_stop_at_last_layers": Option(1, _whole(1, 12)),
    "samples_format": Option("png", _one_of("png", "jpg", "jpeg", "webp")),
    "jpeg_quality": Option(80, _whole(1, 100)),
    "enable_pnginfo": Option(True, _flag),
    "live_previews_enable": Option(True, _flag),
}
