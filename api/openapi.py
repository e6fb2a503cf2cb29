"""The document of the API, finished with what only the running service knows: which models and sizes it has."""

import math
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import TypeAdapter

import darkroom
from api.documents import problem_response
from api.introduction import introduced
from api.problems import Problem
from api.rerun import RerunAsked
from api.routes.ops import NotReadyProblem
from api.visitors import checks_hosts
from darkroom.catalog import SCHEDULERS, Catalog
from darkroom.contract.generation import GenerationRequest
from darkroom.contract.job import JobEvent
from darkroom.contract.preprocess import PreprocessAsked
from darkroom.errors import DarkroomError, ForbiddenOrigin, UnknownHost
from darkroom.settings import Settings

REFERENCES = "#/components/schemas/{model}"
EXAMPLE = {"prompt": "a red circle", "width": 128, "height": 128, "steps": 20, "seed": 7}

Schema = dict[str, Any]


def install(app: FastAPI, settings: Settings, catalog: Catalog) -> None:
    """Build the document when it is first asked for."""

    def openapi() -> Schema:
        if app.openapi_schema is None:
            app.openapi_schema = document(app, settings, catalog)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def document(app: FastAPI, settings: Settings, catalog: Catalog) -> Schema:
    described = get_openapi(
        title="darkroom",
        version=darkroom.__version__,
        summary="Stable Diffusion over HTTP; every picture leaves watermarked and signed",
        routes=app.routes,
    )
    schemas = described["components"]["schemas"]
    for model in (Problem, NotReadyProblem, JobEvent):
        _add(schemas, model.__name__, model.model_json_schema(ref_template=REFERENCES))
    _add(schemas, "GenerationRequest", generation_request_schema(catalog))
    described["paths"]["/api/v1/generations"]["post"]["requestBody"] = {
        "required": True,
        "content": {"application/json": {"schema": {"$ref": REFERENCES.format(model="GenerationRequest")}}},
    }
    _add(schemas, "PreprocessRequest", preprocess_request_schema(catalog))
    described["paths"]["/api/v1/preprocess"]["post"]["requestBody"] = {
        "required": True,
        "content": {"application/json": {"schema": {"$ref": REFERENCES.format(model="PreprocessRequest")}}},
    }
    _add(schemas, "RerunRequest", TypeAdapter(RerunAsked).json_schema(ref_template=REFERENCES))
    described["paths"]["/api/v1/generations/{job_id}/rerun"]["post"]["requestBody"] = {
        "required": False,
        "content": {"application/json": {"schema": {"$ref": REFERENCES.format(model="RerunRequest")}}},
    }
    for operations in described["paths"].values():
        for operation in operations.values():
            _finish(operation, settings)
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    return introduced(described, settings)


def generation_request_schema(catalog: Catalog) -> Schema:
    """The contract's schema, narrowed to the models there are. Sizes are what at least one of them takes."""
    schema = TypeAdapter(GenerationRequest).json_schema(ref_template=REFERENCES)
    schema["description"] = "The task is the one that the fields belong to, unless it is named."
    schema["examples"] = [EXAMPLE]
    for option in schema["oneOf"]:
        _narrow(schema["$defs"][option["$ref"].rpartition("/")[2]]["properties"], catalog)
    return schema


def preprocess_request_schema(catalog: Catalog) -> Schema:
    """The contract's schema, narrowed to the types of map that can be made."""
    schema = TypeAdapter(PreprocessAsked).json_schema(ref_template=REFERENCES)
    schema["properties"]["type"]["enum"] = [spec.type for spec in catalog.preprocessors.specs()]
    return schema


def _narrow(fields: Schema, catalog: Catalog) -> None:
    specs = catalog.specs()
    _choices(fields["scheduler"], list(SCHEDULERS))
    if not catalog.loras.specs():
        fields["loras"]["maxItems"] = 0
    if not catalog.controlnets.specs():
        fields["controlnets"]["maxItems"] = 0
    if vaes := [spec.name for spec in catalog.vaes.specs()]:
        _choices(fields["vae"], vaes)
    else:
        fields["vae"] = {"type": "null", "default": None, "description": "none is configured"}
    if not specs:  # every model is broken: nothing to narrow to
        return
    _choices(fields["model"], [spec.name for spec in specs])
    fields["clip_skip"]["maximum"] = max(spec.max_clip_skip for spec in specs)
    for side in {"width", "height"} & set(fields):
        _integer(fields[side]).update(
            minimum=min(spec.min_size for spec in specs),
            maximum=max(spec.max_size for spec in specs),
            multipleOf=math.gcd(*(spec.size_multiple for spec in specs)),
        )


def _add(schemas: Schema, name: str, schema: Schema) -> None:
    schemas.update(schema.pop("$defs", {}))
    schemas[name] = schema


def _choices(field: Schema, names: list[str]) -> None:
    text = next(option for option in field["anyOf"] if option.get("type") == "string")
    text.clear()
    text.update(type="string", enum=names)


def _integer(field: Schema) -> Schema:
    found: Schema = next(option for option in field["anyOf"] if option.get("type") == "integer")
    return found


def _finish(operation: Schema, settings: Settings) -> None:
    """What is true of every operation: accidents, whom we answer, and that no key may be needed."""
    responses = operation["responses"]
    if "application/json" in responses.get("422", {}).get("content", {}):
        del responses["422"]  # FastAPI's own idea of a refusal, where a route refuses in another way
    responses.setdefault("500", problem_response(500, [DarkroomError.code]))
    responses.setdefault("403", problem_response(403, [ForbiddenOrigin.code]))
    if checks_hosts(settings):
        responses.setdefault("400", problem_response(400, [UnknownHost.code]))
    if settings.allow_anonymous and "security" in operation:
        operation["security"].insert(0, {})
    operation.setdefault("security", [])  # open to everybody, and says so
