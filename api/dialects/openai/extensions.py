"""What we take besides OpenAI's fields: our own names at the top of the body, and all of ours in `darkroom`.

Their names are those that other servers of this protocol took before us, where there are any.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from api.dialects.remarks import Remarks
from darkroom.errors import InvalidField

OBJECT = "darkroom"
_OTHER_NAMES: Mapping[str, str] = {
    "num_inference_steps": "steps",
    "cfg_scale": "guidance_scale",
    "webhook": "webhook_url",
}
_OURS = (
    *("negative_prompt", "seed", "steps", "guidance_scale", "scheduler", "clip_skip", "vae", "loras", "controlnets"),
    *("refiner", "hires", "deterministic", "priority", "deadline", "metadata", "visible_label", "webhook_url"),
    *("webhook_events", "strength", "masked_content", "mask_blur", "only_masked", "mask_padding", "expand"),
)
EXTENSIONS: Mapping[str, str] = {**{name: name for name in _OURS}, **_OTHER_NAMES}
"""The names at the top of a body -> ours."""

RANDOM_SEED = -1  # as A1111 has it, and who came from there
_PLAIN = re.compile(r"[A-Za-z0-9_.\[\]-]{1,64}")


def extensions_of(body: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """(our name, the caller's, value) of each that is given; `darkroom` comes last. Raises: InvalidField."""
    for said, name in EXTENSIONS.items():
        value = body.get(said)
        if value is not None and not (name == "seed" and value == RANDOM_SEED):
            yield name, said, value
    inside = body.get(OBJECT)
    if inside is None:
        return
    if not isinstance(inside, dict):
        raise InvalidField(OBJECT, "must be an object of fields as POST /api/v1/generations takes them")
    for name, value in inside.items():
        yield name, f"{OBJECT}.{name}", value


def inside(body: Mapping[str, Any], name: str) -> Any:
    """What `darkroom` says of a field of ours; None where it says nothing."""
    found = body.get(OBJECT)
    return found.get(name) if isinstance(found, dict) else None


def note_unknown(body: Mapping[str, Any], known: frozenset[str], remarks: Remarks) -> None:
    """A name that the caller made up is shown only if it is short and plain."""
    for name, value in body.items():
        if name in known or name in EXTENSIONS or name == OBJECT or value is None:
            continue
        shown = name if _PLAIN.fullmatch(name) else "?"
        nested = ": a form holds no objects, send it as JSON in the field darkroom" if "[" in name else ""
        remarks.note(shown, f"is no field here{nested}")
