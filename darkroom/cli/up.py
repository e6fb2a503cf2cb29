"""`darkroom up`: the whole service on one machine, from one command, until Ctrl-C."""

import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from darkroom.cli.console import on_stderr

if TYPE_CHECKING:
    from darkroom.cli.stack import Stack
    from darkroom.settings import Settings


TEND_SECONDS = 0.5


def up(
    host: Annotated[str | None, typer.Option(help="Address to listen on; beyond loopback only with API keys.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 picks a free one.")] = None,
    home: Annotated[Path | None, typer.Option(help="Folder for everything it keeps.")] = None,
) -> None:
    """Run everything: ledger, gateway, worker, courier. Needs no configuration and no network."""
    from darkroom.cli.stack import running
    from darkroom.cli.watch import WorkerWatch
    from darkroom.loopback import is_loopback
    from darkroom.services.configuration import load_settings

    settings = load_settings(host=host, port=port, home=home)
    chosen = settings.production or "allow_anonymous" in settings.model_fields_set
    if is_loopback(settings.host) and not settings.api_keys and not chosen:
        settings = settings.model_copy(update={"allow_anonymous": True})
    console = on_stderr()
    try:
        with running(settings, lambda stage: console.print(f"starting the {stage}")) as service:
            for line in welcome(service):
                console.print(line)
            try:
                watch = WorkerWatch(service.worker_status)
                while True:
                    time.sleep(TEND_SECONDS)
                    service.tend()
                    if news := watch.news():
                        console.print(f"{news}; see {settings.home_folder / 'logs'}", markup=False)
            finally:
                console.print("\nstopping: the worker finishes what it holds; Ctrl-C again stops at once")
    except KeyboardInterrupt:
        console.print("stopped")


def invoked_as() -> str:
    """The command as it can be typed here: outside its virtual environment it is not on PATH."""
    program = Path(sys.argv[0])
    if program.name != "darkroom" or shutil.which("darkroom") == str(program.absolute()):
        return "darkroom"
    here = Path.cwd()
    return str(program.absolute().relative_to(here) if program.absolute().is_relative_to(here) else program)


def _signed_by(settings: "Settings") -> str:
    from darkroom.services.webhook_secrets import FILE

    kept = settings.home_folder / FILE
    return f"signed for {', '.join(settings.webhook_secrets)}" + (f" by the secret in {kept}" if kept.exists() else "")


def welcome(service: "Stack") -> list[str]:
    """What is where, and what to type first: a line each."""
    from rich.markup import escape

    settings = service.settings
    lines = [
        f"[bold]darkroom[/bold] is open at {service.url}",
        *([f"  page      {service.url}/ in a browser"] if settings.playground else []),
        f"  api       {service.url}/openapi.json",
        f'  try       {invoked_as()} generate "a red circle on a white background" --url {service.url} -o out.png',
        f"  pictures  {settings.folder_root}" if settings.store == "folder" else f"  pictures  {settings.store}",
        f"  logs      {settings.home_folder / 'logs'}",
        f"  webhooks  {_signed_by(settings)}",
    ]
    if settings.signing_certificate is None:
        lines.append("  signed by a development certificate of this machine: nobody else will trust it")
    if (worker := service.worker_status()) and worker.detail:
        lines.append(f"  [red]left out[/red]  {escape(worker.detail)}")
    return [*lines, "Ctrl-C stops it."]
