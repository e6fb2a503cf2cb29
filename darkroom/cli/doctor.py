"""`darkroom doctor`: is this machine set up to keep what the service promises?"""

import asyncio
import textwrap
from typing import TYPE_CHECKING

import typer

from darkroom.cli.console import on_stdout, print_json
from darkroom.cli.gateway import AsJson

if TYPE_CHECKING:
    from darkroom.cli.checks import Finding

_STATE, _ABOUT = 6, 12  # columns
_COLORS = {"ok": "green", "warn": "yellow", "fail": "red"}


def doctor(as_json: AsJson = False) -> None:
    """Check this machine. The exit code is 1 when something fails.

    Settings, ledger, store, keys, fitness for production, webhooks, safety, clocks, models, packages, GPU, disks,
    a gateway.
    """
    from darkroom.cli.checks import Finding, run_checks
    from darkroom.cli.settings_checks import readable_environment
    from darkroom.services.configuration import load_settings

    findings = [Finding(state, "settings", words) for state, words in readable_environment()]
    findings += asyncio.run(run_checks(load_settings()))
    if as_json:
        print_json([{"check": each.about, "state": each.state, "words": each.words} for each in findings])
    else:
        _tell(findings)
    if any(finding.state == "fail" for finding in findings):
        raise typer.Exit(1)


def _tell(findings: "list[Finding]") -> None:
    console = on_stdout()
    for finding in findings:
        # Written in columns by hand: a table is cut to the terminal's width, or to 80 columns without one.
        console.print(f"{finding.state:{_STATE}}", style=_COLORS[finding.state], end="")
        words = f"{finding.about:{_ABOUT}}{finding.words}"
        console.print(_fitted(words, console.width) if console.is_terminal else words, markup=False)
    if console.is_terminal:
        states = [finding.state for finding in findings]
        counts = {"to mend": states.count("fail"), "to think about": states.count("warn")}
        summary = ", ".join(f"{count} {words}" for words, count in counts.items() if count)
        console.print(summary or "all well", style="bold")


def _fitted(words: str, width: int) -> str:
    """In the columns behind the state, on as many lines as it takes."""
    under = " " * (_STATE + _ABOUT)
    return textwrap.fill(" " * _STATE + words, width, subsequent_indent=under, break_on_hyphens=False)[_STATE:]
