"""What lies beside a single-file checkpoint and says what the file does not.

`NAME.darkroom.json` is ours: a `NAME.json` is what A1111 and Forge write for notes of their own. `NAME.yaml`
is what A1111 reads: of it only the prediction is taken.
"""

import re
from math import inf
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator
from pydantic_core import PydanticCustomError

from darkroom.catalog.configs import MAX_CONFIG_BYTES, read_json
from darkroom.errors import BrokenWeights

SUFFIX = ".darkroom.json"
Prediction = Literal["epsilon", "v_prediction"]

_PARAMETERIZATION = re.compile(rb"""^\s*parameterization:\s*["']?(v|eps)["']?\s*(?:#.*)?$""", re.MULTILINE)


class Sidecar(BaseModel):
    """The objects are laid over the configurations of diffusers that shapes tell; a scheduler's own over its."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    prediction_type: Prediction | None = None
    unet: dict[str, Any] = {}
    vae: dict[str, Any] = {}
    text_encoder: dict[str, Any] = {}
    text_encoder_2: dict[str, Any] = {}
    scheduler: dict[str, Any] = {}

    @field_validator("vae")
    @classmethod
    def _scaled(cls, vae: dict[str, Any]) -> dict[str, Any]:
        """The one number that is looked at before diffusers looks at all of them."""
        factor = vae.get("scaling_factor", 1.0)
        if isinstance(factor, bool) or not isinstance(factor, int | float) or not 0 < factor < inf:
            raise PydanticCustomError("scaling", "scaling_factor must be a number above 0")
        return vae


def read_sidecar(file: Path) -> Sidecar:
    """Of the checkpoint `file`; an empty one where there is none. Raises: BrokenWeights, naming the sidecar."""
    ours = file.with_suffix(SUFFIX)
    if ours.exists():
        try:
            return Sidecar.model_validate(read_json(ours.parent, ours.name))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise BrokenWeights(ours.name, f"{where}: {first['msg'].lower()}") from error
    return Sidecar(prediction_type=_of_yaml(file.with_suffix(".yaml")))


def _of_yaml(path: Path) -> Prediction | None:
    if not path.is_file():
        return None
    try:
        with path.open("rb") as opened:
            found = _PARAMETERIZATION.search(opened.read(MAX_CONFIG_BYTES))
    except OSError as error:
        raise BrokenWeights(path.name, f"cannot be read ({type(error).__name__})") from error
    if found is None:
        return None
    return "v_prediction" if found[1] == b"v" else "epsilon"
