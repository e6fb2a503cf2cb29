"""The span of a request, as OpenTelemetry names what HTTP servers do: https://opentelemetry.io/docs/specs/semconv/http/.

Of the address it has the route's template alone: paths and queries may hold what is private.
"""

from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final

from opentelemetry.trace import Status, StatusCode
from starlette.datastructures import Headers
from starlette.types import Scope

from darkroom import tracing

# Asked every few seconds by machines, which would fill every page of traces.
_UNTRACED: Final = frozenset({"/livez", "/readyz", "/metrics"})
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_FAULT: Final = 500


def traced(scope: Scope) -> AbstractContextManager[Any]:
    """What is done inside is one request, and part of its caller's trace if the caller sends one."""
    if scope["path"] in _UNTRACED:
        return nullcontext()
    sent = Headers(scope=scope).getlist("traceparent")
    return tracing.root(_method(scope), sent[0] if len(sent) == 1 else None, tracing.SpanKind.SERVER)


def tell(scope: Scope, *, route: str | None, status: int, request: str) -> None:
    """Say of the span that is open what was answered."""
    span = tracing.current()
    if not span.is_recording():
        return
    span.update_name(f"{_method(scope)} {route}" if route else _method(scope))
    tenant: str | None = scope["state"].get("tenant")
    told = {"http.request.method": _method(scope), "http.route": route, "darkroom.tenant": tenant}
    span.set_attributes({name: value for name, value in told.items() if value})
    span.set_attributes({"http.response.status_code": status, "darkroom.request": request})
    if status >= _FAULT:
        span.set_attribute("error.type", str(status))
        span.set_status(Status(StatusCode.ERROR))


def _method(scope: Scope) -> str:
    method: str = scope["method"]
    return method if method in _METHODS else "_OTHER"
