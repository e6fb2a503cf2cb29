"""The gateway, put together."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache

from fastapi import APIRouter, FastAPI
from starlette.middleware import Middleware
from starlette.routing import BaseRoute

from api import errors, openapi
from api.auth import KeyRing
from api.boundary import Boundary
from api.desk import Desks
from api.dialects.mount import routers_of, shapes_of
from api.dialects.shapes import Shapes
from api.framing import OneLength
from api.hardening import HardenedHeaders
from api.head import HeadAsGet
from api.lookups import OwnCount
from api.readiness import Readiness
from api.routes import (
    assets,
    error_codes,
    generations,
    models,
    ops,
    pictures,
    preprocess,
    previews,
    provenance,
    reruns,
    results,
    root,
    soft_bindings,
    webhooks,
)
from api.sharing import sharing
from api.visitors import Visitors
from darkroom.services import Services
from darkroom.settings.dialects import Dialect


def create_app(services: Services) -> FastAPI:
    """The application over these services, which it closes when it shuts down."""
    shapes = shapes_of(services.settings.compat)
    app = FastAPI(
        title="darkroom",
        docs_url=None,  # the stock pages load scripts from a CDN
        redoc_url=None,
        redirect_slashes=False,
        lifespan=_lifespan,
        middleware=_walls(services, shapes),
        # Boundary traces. FastAPI's own spans hold paths and queries, where links have their signatures.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.services = services
    app.state.keys = KeyRing.of(services.settings)
    app.state.own_count = OwnCount()
    app.state.desks = Desks.of(services.settings)
    app.state.readiness = Readiness()
    app.state.stopping = asyncio.Event()
    errors.install(app, shapes)
    openapi.install(app, services.settings, services.catalog)
    app.router.routes.extend(_routes(tuple(services.settings.compat)))
    return app


@cache
def _routes(spoken: tuple[Dialect, ...]) -> list[BaseRoute]:
    """All applications share them: they know nothing of their own, and making one takes FastAPI milliseconds."""
    of_generations = (generations, reruns, results, pictures, previews)
    of_callers = (*of_generations, assets, preprocess, models, provenance, soft_bindings, webhooks)
    together = APIRouter()
    for routes in (*of_callers, ops, root, error_codes):
        together.include_router(routes.router)
    for router in routers_of(spoken):
        together.include_router(router, include_in_schema=False)
    return together.routes


def _walls(services: Services, shapes: Shapes) -> list[Middleware]:
    """Outermost first."""
    settings = services.settings
    boundary = Middleware(Boundary, metrics=services.metrics, shapes=shapes)
    visitors = Middleware(Visitors, settings=settings, shapes=shapes)
    walls = [boundary, Middleware(HardenedHeaders), Middleware(OneLength), visitors]
    return [*walls, *sharing(settings), Middleware(HeadAsGet)]


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    yield
    app.state.stopping.set()
    await app.state.services.close()
