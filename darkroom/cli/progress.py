"""A generation on the terminal: its place in line, then its steps."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from darkroom.cli.client import Event

Update = Callable[[Event], None]

MINUTES_FROM = 90.0  # seconds


@contextmanager
def progress_of(job: dict[str, Any], console: Console) -> Iterator[Update]:
    """A bar that the yielded function moves, event by event. Off a terminal it draws nothing."""
    columns = (TextColumn("{task.description}"), BarColumn(bar_width=30), TextColumn("{task.fields[count]}"))
    with Progress(
        *columns, TimeElapsedColumn(), console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task(_place((job.get("queue") or {}).get("position")), total=None, count="")
        yield lambda event: _show(bar, task, event)


def _show(bar: Progress, task: TaskID, event: Event) -> None:
    if event.name == "progress":
        step, steps = event.data["step"], event.data["steps"]
        bar.update(task, description="developing", total=steps, completed=step, count=f"step {step}/{steps}")
    elif event.name == "queued" and "position" in event.data:
        bar.update(task, description=_place(event.data["position"], event.data.get("seconds")))
    elif event.name == "unserved":
        model = event.data["model"]
        bar.console.print(f"no worker serves {model} now: this waits until one does; Ctrl-C cancels it", markup=False)
    elif event.name == "running":
        bar.update(task, description="developing")
    elif event.name == "requeued":
        bar.update(task, description="a worker was lost, again in line", total=None, count="")


def _place(position: int | None, seconds: float | None = None) -> str:
    """Those before it are its owner's own: between owners the service takes turns."""
    before = f", {position} of yours before" if position else ""
    return f"in line{before}" + ("" if seconds is None else f", ready in about {_about(seconds)}")


def _about(seconds: float) -> str:
    return f"{math.ceil(seconds)} s" if seconds < MINUTES_FROM else f"{round(seconds / 60)} min"
