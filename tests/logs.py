"""Logging, lent to a test."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import structlog


@contextmanager
def logging_kept() -> Iterator[None]:
    """Whatever is done to it meanwhile is undone."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    root.handlers = [*handlers]  # `basicConfig` adds to this very list
    config = structlog.get_config() if structlog.is_configured() else None
    try:
        yield
    finally:
        root.handlers = handlers
        if root.level != level:
            root.setLevel(level)  # loggers remember what they found enabled, until this is called
        if config is None:
            structlog.reset_defaults()
        else:
            structlog.configure(**config)
