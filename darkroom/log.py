"""Log lines: one JSON object each, with the job they belong to, and never a prompt or a secret in them.

structlog and the standard library's loggers (uvicorn, rq, boto3) go through the same pipe and come out alike.
"""

import json
import logging
import re
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager, suppress
from datetime import date
from enum import Enum
from math import isfinite
from pathlib import PurePath
from typing import Any, Literal, TextIO

import structlog
from opentelemetry.trace import format_trace_id, get_current_span
from structlog.contextvars import bound_contextvars, merge_contextvars
from structlog.processors import ExceptionRenderer, JSONRenderer, TimeStamper
from structlog.stdlib import BoundLogger, ExtraAdder, PositionalArgumentsFormatter, ProcessorFormatter
from structlog.tracebacks import ExceptionDictTransformer
from structlog.typing import EventDict, Processor, WrappedLogger

LogFormat = Literal["json", "console"]

WITHHELD = "[withheld]"

SENSITIVE = frozenset(
    {
        "access_key",
        "api_key",
        "api_keys",
        "authorization",
        "body",
        "cookie",
        "metadata",
        "negative_prompt",
        "password",
        "private_key",
        "prompt",
        "redis_url",
        "secret",
        "secret_key",
        "set_cookie",
        "signing_key",
        "token",
        "watermark_secret",
        "x_api_key",
    }
)

# They log requests, headers and arguments below these levels.
_QUIETED = {"boto3": "WARNING", "botocore": "WARNING", "urllib3": "WARNING", "httpx": "WARNING", "httpcore": "WARNING"}
# They bring handlers of their own, which would print every line twice.
_ADOPTED = ("uvicorn", "uvicorn.error", "uvicorn.access", "rq", "rq.worker")

_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def configure_logging(
    *, service: str, log_format: LogFormat = "json", level: str = "info", stream: TextIO | None = None
) -> None:
    """Send every logger of this process to `stream` (stderr if None) as lines of `service`. May be called again."""
    shared: list[Processor] = [
        merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        PositionalArgumentsFormatter(),
        ExtraAdder(),
        _drop_colors,
        TimeStamper(fmt="iso", utc=True),
        _named(service),
        _traced,
    ]
    structlog.configure(
        processors=[*shared, ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = _Handler(stream or sys.stderr)
    handler.setFormatter(
        ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[ProcessorFormatter.remove_processors_meta, withhold, *_renderers(log_format)],
        )
    )
    _adopt(handler, level)


def get_logger(name: str) -> BoundLogger:
    """A logger to be kept in a module; it follows `configure_logging` whenever that is called."""
    logger: BoundLogger = structlog.stdlib.get_logger(name)
    return logger


def about_job(job_id: str) -> AbstractContextManager[Any]:
    """Lines logged inside carry `job_id`, in this task and in those it starts."""
    return bound_contextvars(job_id=job_id)


def withhold(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Replace the values of sensitive keys, however deep, and objects that could hold them by their type's name."""
    # `exc_info` is not printed: a later step makes a traceback of it.
    return {key: value if key == "exc_info" else _shown(key, value) for key, value in event.items()}


def _shown(key: object, value: Any) -> Any:
    return WITHHELD if _sensitive(key) else _plain(value)


def _sensitive(key: object) -> bool:
    return str(key).lower().replace("-", "_") in SENSITIVE


def _plain(value: Any) -> Any:
    """What may be printed of a value: plain data as it is, anything else as its type's name."""
    match value:
        case float() if not isfinite(value):
            return str(value)
        case None | bool() | int() | float() | str():
            return value
        case Mapping():
            return {str(key): _shown(key, inner) for key, inner in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_plain(inner) for inner in value]
        case Enum() | PurePath() | date():
            return str(value)
        case _:
            return f"<{type(value).__name__}>"


def _renderers(log_format: LogFormat) -> list[Processor]:
    if log_format == "json":
        # Local variables would put prompts into tracebacks.
        tracebacks = ExceptionRenderer(ExceptionDictTransformer(show_locals=False))
        return [tracebacks, _shorten_paths, JSONRenderer(serializer=json.dumps)]
    return [_escape_controls, structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]


def _shorten_paths(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Frames are known by package and file; where this machine keeps them is nobody's business."""
    for trace in event.get("exception", ()):
        for frame in trace["frames"]:
            frame["filename"] = "/".join(PurePath(frame["filename"]).parts[1:][-3:])
    return event


def _escape_controls(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """JSON escapes them by itself; a terminal would obey them."""
    return {key: _escaped(value) if isinstance(value, str) else value for key, value in event.items()}


def _escaped(text: str) -> str:
    return _CONTROLS.sub(lambda found: found.group().encode("unicode_escape").decode(), text)


def _drop_colors(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """uvicorn brings each line a second time, with escape codes for a terminal."""
    event.pop("color_message", None)
    return event


def _named(service: str) -> Processor:
    def add_service(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        event["service"] = service
        return event

    return add_service


def _traced(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """By the trace, lines of all processes about one request are found."""
    traced = get_current_span().get_span_context()
    if traced.is_valid:
        event["trace_id"] = format_trace_id(traced.trace_id)
    return event


class _Handler(logging.StreamHandler[TextIO]):
    def handleError(self, record: logging.LogRecord) -> None:
        """Say that a line was lost. The standard library would print its words and those of errors under way."""
        if sys.stderr is None:  # begun with it closed
            return
        with suppress(OSError, ValueError):
            sys.stderr.write(f"a log line of {record.name} was lost: {type(sys.exception()).__name__}\n")


def _adopt(handler: logging.Handler, level: str) -> None:
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for name, least in _QUIETED.items():
        logging.getLogger(name).setLevel(least)
    for name in _ADOPTED:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
