"""Tables: in columns for eyes, tab by tab for pipes."""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

from darkroom.cli.console import on_stdout, printable

if TYPE_CHECKING:
    from rich.table import Table

Cells = Sequence[str]
GAP = 2
LEAST_LAST = 8  # columns of the last cell, which must be told apart from nothing
_NONE: Mapping[str, str] = MappingProxyType({})


def show_table(titles: Sequence[str], rows: Iterable[Cells], *, colors: Mapping[str, str] = _NONE) -> None:
    """On a terminal with titles. In a pipe cells are whole and there are no titles: what reads it counts columns."""
    console = on_stdout()
    if console.is_terminal:
        console.print(table_of(titles, rows, console.width, colors=colors), soft_wrap=False)
        return
    for row in rows:
        print("\t".join(map(printable, row)))


def table_of(titles: Sequence[str], rows: Iterable[Cells], width: int, *, colors: Mapping[str, str] = _NONE) -> "Table":
    """As wide as `width`, by cutting the last column. Titles that begin with `>` head numbers, which stand right.

    `colors`: of cells by their first word.
    """
    from rich.table import Table
    from rich.text import Text

    drawn = [[Text(printable(cell), colors.get(_first_word(cell), "")) for cell in row] for row in rows]
    table = Table(box=None, padding=(0, GAP, 0, 0), pad_edge=False, header_style="bold")
    left = width
    for index, title in enumerate(titles):
        words = title.removeprefix(">")
        column = [row[index] for row in drawn]
        widest = max([len(words), *(cell.cell_len for cell in column)])
        if index == len(titles) - 1:
            widest = max(LEAST_LAST, min(widest, left))
            for cell in column:
                cell.truncate(widest, overflow="ellipsis")
        table.add_column(words, justify="right" if title.startswith(">") else "left", no_wrap=True, width=widest)
        left -= widest + GAP
    for row in drawn:
        table.add_row(*row)
    return table


def _first_word(cell: str) -> str:
    return cell.partition(" ")[0].rstrip(",:")


def bytes_words(count: int) -> str:
    """As people say it, in powers of ten: 2.1 GB."""
    size, units = float(count), ("B", "kB", "MB", "GB", "TB")
    for unit in units:
        if size < 999.5 or unit == units[-1]:
            break
        size /= 1000
    return f"{count} B" if unit == "B" else f"{size:.{0 if size >= 99.5 else 1}f} {unit}"


def seconds_words(seconds: float) -> str:
    """One number and its unit: 45 s, 12 min, 3 h, 5 d."""
    for most, per, unit in ((90, 1, "s"), (90 * 60, 60, "min"), (48 * 3600, 3600, "h")):
        if seconds < most:
            return f"{seconds / per:.0f} {unit}"
    return f"{seconds / 86_400:.0f} d"
