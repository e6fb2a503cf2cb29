"""For those who run the service: is it alive, can it serve, how is it doing."""

from fastapi import APIRouter, Request
from prometheus_client import REGISTRY, generate_latest
from pydantic import BaseModel, Field
from starlette.responses import Response

from api.deps import ServicesOf, Tenant
from api.documents import problems
from api.errors import headers_of
from api.problems import MEDIA_TYPE, Problem, answer, problem_of
from api.readiness import Readiness
from darkroom.errors import NotReady, Unauthenticated, UnavailableError
from darkroom.ledger.protocol import Ledger
from darkroom.metrics import CONTENT_TYPE, Metrics

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
async def is_ready(request: Request, services: ServicesOf) -> Response | Ready:
    """Whether ledger and store can be worked with. Open to everyone; names no tenant and no address."""
    readiness: Readiness = request.app.state.readiness
    found = await readiness.of(services)
    if not found.problems:
        return Ready(warnings=found.warnings, unserved=found.unserved)
    error = NotReady("; ".join(found.problems))
    described = NotReadyProblem(**problem_of(error).model_dump(), problems=found.problems, warnings=found.warnings)
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
        workloads, serving = await ledger.workloads(), await ledger.serving()
        webhooks = await ledger.deliveries.backlog()
    except UnavailableError:
        metrics.dependency_up.labels("ledger").set(0)
        return
    metrics.dependency_up.labels("ledger").set(1)
    metrics.forget_lines()
    for model, load in workloads.items():
        metrics.line(
            model,
            waiting=load.waiting,
            oldest=load.oldest_seconds,
            queued=load.queued_seconds,
            running=load.running_seconds,
        )
    metrics.webhooks_pending.set(webhooks.pending)
    metrics.webhooks_overdue_seconds.set(webhooks.overdue)
    metrics.serving.clear()
    for model, count in serving.items():
        metrics.serving.labels(model).set(count)
