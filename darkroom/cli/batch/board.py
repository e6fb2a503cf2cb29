"""A batch on the terminal: what is in flight, and how far all of it is."""

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from darkroom.cli.batch.making import Row
from darkroom.cli.console import printable

MOST_ROWS = 12
REFRESHES = 4  # a second


@contextmanager
def board_of(rows: Sequence[Row], console: Console) -> Iterator[None]:
    """Shown while it is entered, on a terminal alone, and gone afterwards."""
    if not console.is_terminal:
        yield
        return
    with Live(
        get_renderable=lambda: drawn(rows),
        console=console,
        refresh_per_second=REFRESHES,
        transient=True,
        redirect_stdout=sys.stdout.isatty(),  # printed above the table; a pipe gets what it is to get
    ):
        yield


def drawn(rows: Sequence[Row]) -> RenderableType:
    """Those in flight in a table, and under it one bar for all."""
    flying = [row for row in rows if row.state in ("in line", "developing")]
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), expand=True)
    table.add_column(justify="right", style="dim", width=4)
    table.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
    table.add_column(width=10)
    table.add_column(width=16)
    for row in flying[:MOST_ROWS]:
        step = f"step {row.step}/{row.steps}" if row.steps else ""
        bar: RenderableType = ProgressBar(total=row.steps, completed=row.step, width=16) if row.steps else Text("")
        table.add_row(str(row.line.number), printable(row.line.prompt), step or row.state, bar)
    return Group(table, Text(summary(rows), style="bold"))


def summary(rows: Sequence[Row]) -> str:
    """`12 of 20 made, 3 there already, 1 failed`, without what there is none of."""
    counts = Counter(row.state for row in rows)
    others = [f"{counts[state]} {state}" for state in ("there already", "failed") if counts[state]]
    return ", ".join([f"{counts['made']} of {len(rows)} made", *others])
