"""A generation on the terminal: its place in line, then its steps."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from darkroom.contract.document import Generation


@dataclass(frozen=True)
class News:
    """What there is to show of a generation: an event of its own, or its place in line."""

    name: str
    data: dict[str, Any]


Update = Callable[[News], None]

MINUTES_FROM = 90.0  # seconds


@contextmanager
def progress_of(generation: Generation, console: Console) -> Iterator[Update]:
    """A bar that the yielded function moves, event by event. Off a terminal it draws nothing."""
    columns = (TextColumn("{task.description}"), BarColumn(bar_width=30), TextColumn("{task.fields[count]}"))
    with Progress(
        *columns, TimeElapsedColumn(), console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task(_place(generation.queue.position if generation.queue else None), total=None, count="")
        yield lambda news: _show(bar, task, news)


def _show(bar: Progress, task: TaskID, news: News) -> None:
    if news.name == "progress":
        step, steps = news.data["step"], news.data["steps"]
        bar.update(task, description="developing", total=steps, completed=step, count=f"step {step}/{steps}")
    elif news.name == "queued" and "position" in news.data:
        bar.update(task, description=_place(news.data["position"], news.data.get("seconds")))
    elif news.name == "unserved":
        model = news.data["model"]
        bar.console.print(f"no worker serves {model} now: this waits until one does; Ctrl-C cancels it", markup=False)
    elif news.name == "running":
        bar.update(task, description="developing")
    elif news.name == "requeued":
        bar.update(task, description="a worker was lost, again in line", total=None, count="")


def _place(position: int | None, seconds: float | None = None) -> str:
    """Those before it are its owner's own: between owners the service takes turns."""
    before = f", {position} of yours before" if position else ""
    return f"in line{before}" + ("" if seconds is None else f", ready in about {_about(seconds)}")


def _about(seconds: float) -> str:
    return f"{math.ceil(seconds)} s" if seconds < MINUTES_FROM else f"{round(seconds / 60)} min"
