"""For those who run the service: is it alive, can it serve, how is it doing."""

import asyncio

from fastapi import APIRouter
from prometheus_client import REGISTRY, generate_latest
from pydantic import BaseModel, Field
from starlette.responses import Response

from api.deps import ServicesOf, Tenant
from api.documents import problems
from api.errors import headers_of
from api.problems import MEDIA_TYPE, Problem, answer, problem_of
from darkroom.errors import DarkroomError, NotReady, Unauthenticated, UnavailableError
from darkroom.ledger.protocol import Ledger, LedgerHealth
from darkroom.metrics import CONTENT_TYPE, Metrics
from darkroom.services import Services
from darkroom.storage.protocol import ObjectStore

router = APIRouter(tags=["operations"])


class Alive(BaseModel):
    alive: bool = True


class Ready(BaseModel):
    """Warnings do not stop the service, but somebody should read them."""

    ready: bool = True
    warnings: list[str]
    unserved: list[str] = Field(description="models that no worker serves now: generations with them wait")


class NotReadyProblem(Problem):
    problems: list[str] = Field(description="why requests cannot be served")
    warnings: list[str]


@router.get("/livez", operation_id="is_alive")
async def is_alive() -> Alive:
    """Whether the process answers at all. Open to everyone, depends on nothing."""
    return Alive()


@router.get(
    "/readyz",
    operation_id="is_ready",
    response_model=Ready,
    responses={
        503: {
            "description": NotReady.code,
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/NotReadyProblem"}}},
        }
    },
)
async def is_ready(services: ServicesOf) -> Response | Ready:
    """Whether ledger and store can be worked with. Open to everyone; names no tenant and no address."""
    health, stored, unserved = await asyncio.gather(
        _ledger_health(services.ledger), _store_problems(services.store), _unserved(services)
    )
    reasons = [*health.problems, *stored]
    warnings = [*health.warnings, *services.catalog.broken(), *map(_told_unserved, unserved)]
    if not reasons:
        return Ready(warnings=warnings, unserved=unserved)
    error = NotReady("; ".join(reasons))
    described = NotReadyProblem(**problem_of(error).model_dump(), problems=reasons, warnings=warnings)
    return answer(described, headers_of(error))


@router.get(
    "/metrics",
    operation_id="get_metrics",
    response_class=Response,
    responses=problems(Unauthenticated)
    | {200: {"content": {"text/plain": {"schema": {"type": "string"}}}, "description": "Prometheus text"}},
)
async def get_metrics(services: ServicesOf, _: Tenant) -> Response:
    """What this process measures, and the line as it is now, for Prometheus. Any key opens it; it names no tenant."""
    await _measure_line(services.ledger, services.metrics)
    return Response(services.metrics.render() + generate_latest(REGISTRY), media_type=CONTENT_TYPE)


async def _measure_line(ledger: Ledger, metrics: Metrics) -> None:
    try:
        waiting, serving = await ledger.waiting(), await ledger.serving()
        webhooks = await ledger.deliveries.backlog()
    except UnavailableError:
        metrics.dependency_up.labels("ledger").set(0)
        return
    metrics.dependency_up.labels("ledger").set(1)
    metrics.waiting.clear()  # a model whose line is empty is no longer among them
    for model, count in waiting.items():
        metrics.waiting.labels(model).set(count)
    metrics.webhooks_pending.set(webhooks.pending)
    metrics.webhooks_overdue_seconds.set(webhooks.overdue)
    metrics.serving.clear()
    for model, count in serving.items():
        metrics.serving.labels(model).set(count)


async def _unserved(services: Services) -> list[str]:
    """Models we take requests for and nobody serves; none while the ledger, which would know, is away."""
    try:
        serving = await services.ledger.serving()
    except UnavailableError:
        return []
    return [spec.name for spec in services.catalog.specs() if spec.name not in serving]


def _told_unserved(model: str) -> str:
    return f"no worker serves {model}: generations with it wait until one does"


async def _ledger_health(ledger: Ledger) -> LedgerHealth:
    try:
        return await ledger.check()
    except DarkroomError as error:
        return LedgerHealth(problems=(error.detail,), warnings=())


async def _store_problems(store: ObjectStore) -> list[str]:
    try:
        await store.check()
    except DarkroomError as error:
        return [error.detail]
    return []
