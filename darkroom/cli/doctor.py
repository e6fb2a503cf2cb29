"""`darkroom doctor`: is this machine set up to keep what the service promises?"""

import asyncio

import typer

from darkroom.cli.console import on_stdout

_COLORS = {"ok": "green", "warn": "yellow", "fail": "red"}


def doctor() -> None:
    """Check this machine. The exit code is 1 when something fails.

    Ledger, store, keys, fitness for production, clock, models, disks and devices.
    """
    from darkroom.cli.checks import run_checks
    from darkroom.services.configuration import load_settings

    findings = asyncio.run(run_checks(load_settings()))
    console = on_stdout()
    for finding in findings:
        # Written in columns by hand: a table is cut to the terminal's width, or to 80 columns without one.
        console.print(f"{finding.state:6}", style=_COLORS[finding.state], end="")
        console.print(f"{finding.about:12}{finding.words}", markup=False)
    if any(finding.state == "fail" for finding in findings):
        raise typer.Exit(1)
