"""`darkroom jobs`: generations as they come along."""

import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated

import typer

from darkroom.cli import gateway
from darkroom.cli.console import complain, on_stdout
from darkroom.cli.gateway import DEFAULT_URL, ApiKey, AsJson, Url
from darkroom.cli.tables import seconds_words, show_table, table_of

if TYPE_CHECKING:
    from rich.console import RenderableType

    from darkroom.client import Client
    from darkroom.contract.document import Generation

LOOK_SECONDS = 1.0
TITLES = ("id", "state", ">ready in", ">age", "prompt")
COLORS = MappingProxyType(
    {"succeeded": "green", "running": "yellow", "failed": "red", "blocked": "red", "expired": "red"}
)

jobs = typer.Typer(name="jobs", rich_markup_mode=None, invoke_without_command=True)
Ids = Annotated[list[str], typer.Argument(metavar="ID", help="Generations.")]


@jobs.callback()
def about(
    context: typer.Context,
    once: Annotated[bool, typer.Option("--once", help="Show them as they are now, and end.")] = False,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="How many, the newest.")] = 20,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = None,
    as_json: AsJson = False,
) -> None:
    """Watch your generations.

    The newest come first, until Ctrl-C; in a pipe they are shown once. In JSON each is one line.
    """
    if context.invoked_subcommand:
        return
    with gateway.connect(url, api_key) as client:
        if as_json:
            for generation in _newest(client, limit):
                print(generation.model_dump_json())
        elif once or not on_stdout().is_terminal:
            show_table(TITLES, [row_of(each) for each in _newest(client, limit)], colors=COLORS)
        else:
            _watch(lambda: _newest(client, limit))


@jobs.command()
def cancel(ids: Ids, url: Url = DEFAULT_URL, api_key: ApiKey = None) -> None:
    """Cancel generations. Exit code 1 when one of them is not known, or had ended otherwise."""
    from darkroom.client import NotFound

    failed = False
    with gateway.connect(url, api_key) as client:
        for generation_id in ids:
            try:
                state = client.cancel(generation_id).state
            except NotFound as error:
                complain(f"{generation_id}: {error}")
                failed = True
                continue
            print(f"{generation_id} {state}")
            failed |= state != "canceled"
    if failed:
        raise typer.Exit(1)


def _newest(client: "Client", limit: int) -> "list[Generation]":
    return list(itertools.islice(client.list(), limit))


def _watch(look: "Callable[[], Sequence[Generation]]") -> None:
    """Whoever watches ends it by Ctrl-C, which is no failure here. A gateway that is away is told, and asked again."""
    from rich.live import Live

    from darkroom.client import GatewayAway

    drawn: RenderableType = ""
    try:
        with Live("", console=on_stdout(), auto_refresh=False) as live:
            while True:
                try:
                    drawn = table_of(TITLES, [row_of(each) for each in look()], live.console.width, colors=COLORS)
                    live.update(drawn, refresh=True)
                except GatewayAway as error:
                    _tell_away(live.update, drawn, str(error))
                time.sleep(LOOK_SECONDS)
    except KeyboardInterrupt:
        return


def _tell_away(update: "Callable[..., None]", drawn: "RenderableType", words: str) -> None:
    from rich.console import Group
    from rich.text import Text

    update(Group(drawn, Text(f"as it was: {words}", style="yellow")), refresh=True)


def row_of(generation: "Generation") -> tuple[str, ...]:
    """As seen now, by our clock."""
    now = datetime.now(UTC)
    ready = "" if generation.eta is None else seconds_words(max(0.0, (generation.eta - now).total_seconds()))
    age = seconds_words(max(0.0, (now - generation.created_at).total_seconds()))
    words = " ".join(generation.plan.prompt.split())
    return generation.id, _state(generation), ready, age, words


def _state(generation: "Generation") -> str:
    """With as much of the rest as there is: `queued, 2 before`, `running, 6/40`, `failed, nan_output`."""
    return ", ".join([generation.state, *_details(generation)])


def _details(generation: "Generation") -> Iterator[str]:
    if generation.state == "blocked":
        yield from sorted({name for verdict in generation.safety for name in verdict.reached})
    elif generation.failure:
        yield generation.failure.code
    if generation.queue:
        if generation.queue.position:
            yield f"{generation.queue.position} before"
        if not generation.queue.workers:
            yield "no worker"
    if generation.progress and not generation.state.terminal:
        yield f"{generation.progress.step}/{generation.progress.steps}"
    if len(generation.images) > 1:
        yield f"{len(generation.images)} pictures"
