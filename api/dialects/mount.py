"""Which dialects there are, where, and how their errors look."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fastapi import APIRouter

from api.dialects.a1111 import surface as a1111
from api.dialects.a1111.shape import shape as a1111_shape
from api.dialects.hf import routes as hf
from api.dialects.hf.shape import shape as hf_shape
from api.dialects.openai import routes as openai
from api.dialects.openai.shape import shape as openai_shape
from api.dialects.replicate import surface as replicate
from api.dialects.replicate.shape import shape as replicate_shape
from api.dialects.shapes import Shape, Shapes
from darkroom.settings.dialects import Dialect


@dataclass(frozen=True)
class Surface:
    """One dialect: its routes, which are not in our OpenAPI document, and the shape of errors below its prefixes."""

    router: APIRouter
    prefixes: tuple[str, ...]
    shape: Shape


SURFACES: Mapping[Dialect, Surface] = {
    "openai": Surface(openai.router, ("/v1",), openai_shape),
    "a1111": Surface(a1111.router, a1111.PREFIXES, a1111_shape),
    "replicate": Surface(replicate.router, (replicate.PREFIX,), replicate_shape),
    "hf": Surface(hf.router, ("/hf",), hf_shape),
}


def routers_of(spoken: Iterable[Dialect]) -> list[APIRouter]:
    return [SURFACES[name].router for name in spoken if name in SURFACES]


def shapes_of(spoken: Iterable[Dialect]) -> Shapes:
    surfaces = [SURFACES[name] for name in spoken if name in SURFACES]
    return Shapes({prefix: surface.shape for surface in surfaces for prefix in surface.prefixes})
