"""Models and their versions as Replicate describes them. A version is what a model's files hold."""

from collections.abc import Mapping
from typing import Any, Final, get_args

from api.dialects.model_names import model_named
from darkroom.catalog import SCHEDULERS, Catalog
from darkroom.contract.generation import MAX_PROMPT_CHARS, MAX_SEED, MOST_IMAGES
from darkroom.contract.model import ModelSpec
from darkroom.contract.plan import OutputFormat
from darkroom.contract.prediction import OWNER, PREFIX, version_of
from darkroom.errors import InvalidField, NotFound
from darkroom.settings import Settings

# Of cog, from which on the schema of an output says whether it comes piece by piece; ours does not.
COG: Final = "0.9.0"
_WHEN: Final = "1970-01-01T00:00:00Z"  # files of weights have no date that means anything

Schema = dict[str, Any]


def asked_model(body: Mapping[str, Any], catalog: Catalog, settings: Settings) -> str:
    """Our name of the model that a body names by `version` or `model`: a version, `owner/name:version`, or a name.

    Raises: InvalidField, UnknownModel; ModelError for one that is broken.
    """
    field = "model" if body.get("version") is None else "version"
    said = body.get(field)
    if not isinstance(said, str) or not said:
        raise InvalidField("version", "name a version, or a model as owner/name")
    name, _, version = said.rpartition(":")
    known = {version_of(spec.weights): spec.name for spec in catalog.specs()}
    if version in known:
        return known[version]
    if name and version not in settings.model_aliases:
        raise InvalidField(field, f"no such version: what is served now is {', '.join(known)}")
    return model_named(version, catalog, settings, field)


def version_asked(spec: ModelSpec, version: str, settings: Settings) -> None:
    """Nothing, for the version that is served, or an alias of the model. Raises: NotFound."""
    if version not in (version_of(spec.weights), "latest") and settings.model_aliases.get(version) != spec.name:
        raise NotFound(f"{spec.name} is served as version {version_of(spec.weights)} alone")


def model(spec: ModelSpec, base: str) -> dict[str, Any]:
    return {
        "url": f"{base}{PREFIX}/models/{OWNER}/{spec.name}",
        "owner": OWNER,
        "name": spec.name,
        "description": spec.title,
        "visibility": "private",
        "github_url": None,
        "paper_url": None,
        "license_url": None,
        "run_count": 0,
        "cover_image_url": None,
        "default_example": None,
        "latest_version": version(spec),
    }


def version(spec: ModelSpec) -> dict[str, Any]:
    return {
        "id": version_of(spec.weights),
        "created_at": _WHEN,
        "cog_version": COG,
        "openapi_schema": {
            "openapi": "3.0.2",
            "info": {"title": spec.title, "version": version_of(spec.weights)},
            "paths": {},
            "components": {"schemas": {"Input": _input(spec), "Output": _OUTPUT}},
        },
    }


_OUTPUT: Final = {"type": "array", "title": "Output", "items": {"type": "string", "format": "uri"}}


def _input(spec: ModelSpec) -> Schema:
    fields = _fields(spec)
    properties = {name: {"title": name, **schema, "x-order": order} for order, (name, schema) in enumerate(fields)}
    return {"type": "object", "title": "Input", "required": ["prompt"], "properties": properties}


def _fields(spec: ModelSpec) -> list[tuple[str, Schema]]:
    words = {"type": "string", "maxLength": MAX_PROMPT_CHARS}
    picture = {"type": "string", "format": "uri"}
    return [
        ("prompt", words),
        ("negative_prompt", words | {"default": ""}),
        ("image", picture | {"description": "to begin with"}),
        ("mask", picture | {"description": "white is made anew"}),
        ("prompt_strength", _number(0, 1, 0.75) | {"description": "how much of the image is made anew"}),
        ("width", _side(spec, spec.native_width)),
        ("height", _side(spec, spec.native_height)),
        ("num_outputs", _integer(1, MOST_IMAGES, 1)),
        ("num_inference_steps", _integer(1, 150, spec.default_steps)),
        ("guidance_scale", _number(0, 100, spec.default_guidance_scale)),
        ("scheduler", {"type": "string", "enum": list(SCHEDULERS), "default": spec.default_scheduler}),
        ("seed", {"type": "integer", "minimum": 0, "maximum": MAX_SEED, "description": "random if absent"}),
        ("output_format", {"type": "string", "enum": list(get_args(OutputFormat)), "default": "png"}),
        ("output_quality", _integer(0, 100, 90)),
    ]


def _side(spec: ModelSpec, default: int) -> Schema:
    return _integer(spec.min_size, spec.max_size, default) | {"multipleOf": spec.size_multiple}


def _integer(least: int, most: int, default: int) -> Schema:
    return {"type": "integer", "minimum": least, "maximum": most, "default": default}


def _number(least: float, most: float, default: float) -> Schema:
    return {"type": "number", "minimum": least, "maximum": most, "default": default}


def refiner_of(catalog: Catalog) -> str | None:
    """The refiner that `refine` means: the one there is."""
    found = [spec.name for spec in catalog.specs() if spec.family == "sdxl_refiner"]
    return found[0] if len(found) == 1 else None
