"""Hooks that are asked in tests, and given up behind them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from darkroom.safety.hook import Hook, HookPlace, PictureHook, PromptHook


@contextmanager
def hooked(url: str, **place: Any) -> Iterator[Hook]:
    hook = Hook(HookPlace(url, **place))
    try:
        yield hook
    finally:
        hook.close()


@contextmanager
def asking_about_prompts(url: str, **place: Any) -> Iterator[PromptHook]:
    with hooked(url, **place) as hook:
        yield PromptHook(hook)


@contextmanager
def asking_about_pictures(url: str, **place: Any) -> Iterator[PictureHook]:
    with hooked(url, **place) as hook:
        yield PictureHook(hook)
