"""The commands put together, and the one edge at which every error becomes one line on stderr."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

import darkroom
from darkroom.cli.api import api
from darkroom.cli.batch.command import batch
from darkroom.cli.console import CommandFailed, complain
from darkroom.cli.courier import courier
from darkroom.cli.demo import demo
from darkroom.cli.doctor import doctor
from darkroom.cli.generate import generate
from darkroom.cli.inspecting import inspect
from darkroom.cli.jobs import jobs
from darkroom.cli.key import key
from darkroom.cli.lists import loras, models
from darkroom.cli.preprocess import preprocess
from darkroom.cli.pull import pull
from darkroom.cli.records import records
from darkroom.cli.redis_users import redis_users
from darkroom.cli.secrets import secrets
from darkroom.cli.up import up
from darkroom.cli.verify import verify
from darkroom.cli.watermark_key import watermark_key
from darkroom.cli.webhook_secret import webhook_secret
from darkroom.cli.webhooks import webhooks
from darkroom.cli.worker import worker
from darkroom.errors import ConfigurationError, DarkroomError

SERVING = ("api", "worker", "courier")  # whoever starts these again is to know that it would not help


class OneLineErrors(TyperGroup):
    """Turns what a command raises into a message; with --debug lets it pass, traceback and all."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """By what they are for. Typer does so through rich, which takes longer to load than all of this."""
        panels: dict[str, list[tuple[str, str]]] = {}
        wide = max(map(len, self.commands))
        for name in self.list_commands(ctx):
            command: Any = self.get_command(ctx, name)
            panels.setdefault(getattr(command, "rich_help_panel", None) or "Commands", []).append(
                (name.ljust(wide), command.get_short_help_str(formatter.width - 6 - wide))
            )
        for panel, rows in panels.items():
            with formatter.section(panel):
                formatter.write_dl(rows)

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except (typer.TyperException, typer.Exit, typer.Abort, BrokenPipeError):
            raise
        except Exception as error:
            if ctx.params["debug"]:
                raise
            told = typer.TyperException(explain(error))
            if isinstance(error, ConfigurationError) and ctx.invoked_subcommand in SERVING:
                told.exit_code = os.EX_CONFIG
            raise told from error


def explain(error: Exception) -> str:
    """What a command raised, for whoever typed it."""
    match error:
        case CommandFailed() | DarkroomError():
            return str(error)
        case _ if words := _told_by_the_gateway(error):
            return words
        case OSError(filename=str() | Path() as path, strerror=str() as words):
            return f"{path}: {words}"
        case OSError(strerror=str() as words):
            return words
    return f"{type(error).__name__}: {error} (a fault of ours; --debug shows where)"


def _told_by_the_gateway(error: Exception) -> str | None:
    """With the code, for whoever looks it up in docs/errors.md. Only who asked a gateway has loaded what asks it."""
    if "darkroom.client" not in sys.modules:
        return None
    from darkroom.client import ClientError, NotMade, Refused

    if isinstance(error, Refused) and len(error.errors) > 1:
        return f"{'; '.join(f'{field}: {detail}' for field, detail in error.errors)} ({error.code})"
    if isinstance(error, Refused) and error.code == "unauthenticated":  # its words are for who writes headers
        return f"{error.detail.partition(':')[0]}: --api-key or DARKROOM_API_KEY ({error.code})"
    if isinstance(error, Refused) and error.field and error.field.rpartition(".")[2] not in error.detail:
        return f"{error.field}: {error} ({error.code})"
    if isinstance(error, Refused | NotMade):
        return f"{error} ({error.code})"
    return str(error) if isinstance(error, ClientError) else None


app = typer.Typer(cls=OneLineErrors, no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None)
PICTURES, LOOKING, SERVICE, SETTING_UP = "Pictures", "What there is", "The service", "Setting it up"
_COMMANDS = {
    PICTURES: (generate, batch, preprocess, verify, inspect),
    LOOKING: (models, loras),
    SERVICE: (up, demo, doctor, api, worker, courier),
    SETTING_UP: (pull, key, watermark_key, webhook_secret, redis_users, secrets),
}
for _panel, _commands in _COMMANDS.items():
    for command in _commands:
        app.command(rich_help_panel=_panel)(command)
app.add_typer(jobs, rich_help_panel=LOOKING)
app.add_typer(webhooks, rich_help_panel=LOOKING)
app.add_typer(records, rich_help_panel=SETTING_UP)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"darkroom {darkroom.__version__}")
        raise typer.Exit


@app.callback()
def options(
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks instead of one-line errors.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Stable Diffusion over HTTP, every picture watermarked and signed.

    Settings are environment variables, DARKROOM_HOME and so on: see docs/settings.md.
    """


def run(arguments: Sequence[str]) -> int:
    """Run one command line. Returns the exit code; prints at most one line on stderr."""
    try:
        result = app(args=list(arguments), prog_name="darkroom", standalone_mode=False)
    except typer.TyperException as error:
        complain(error.format_message())
        return int(error.exit_code)
    except typer.Abort:
        return 130
    return _flushed(result if isinstance(result, int) else 0)


def _flushed(code: int) -> int:
    """Whoever read the answers may have gone, as `head` does when it has seen enough, or their disk be full."""
    try:
        sys.stdout.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the interpreter flushes once more
        if not isinstance(error, BrokenPipeError):
            complain(explain(error))
        return 1
    return code
