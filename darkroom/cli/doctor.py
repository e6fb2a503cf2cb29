"""`darkroom doctor`: is this machine set up to keep what the service promises?"""

import asyncio

import typer

from darkroom.cli.console import on_stdout

_COLORS = {"ok": "green", "warn": "yellow", "fail": "red"}


def doctor() -> None:
    """Check ledger, store, keys, clock and models. The exit code is 1 when something fails."""
    from rich.table import Table

    from darkroom.cli.checks import run_checks
    from darkroom.services.configuration import load_settings

    findings = asyncio.run(run_checks(load_settings()))
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for finding in findings:
        color = _COLORS[finding.state]
        table.add_row(f"[{color}]{finding.state}[/{color}]", finding.about, finding.words)
    on_stdout().print(table)
    if any(finding.state == "fail" for finding in findings):
        raise typer.Exit(1)
