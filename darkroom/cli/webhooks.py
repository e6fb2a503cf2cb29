"""`darkroom webhooks`: what became of what was to be told, and telling it again."""

import itertools
from collections.abc import Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated

import typer

from darkroom.cli import gateway
from darkroom.cli.console import complain, on_stdout, printable
from darkroom.cli.gateway import DEFAULT_URL, ApiKey, AsJson, Url
from darkroom.cli.tables import show_table

if TYPE_CHECKING:
    from darkroom.contract.deliveries import DeliveryDetail, DeliveryShown

COLORS = MappingProxyType({"delivered": "green", "dead": "red", "pending": "yellow"})

webhooks = typer.Typer(name="webhooks", no_args_is_help=True, rich_markup_mode=None)
Moment = Annotated[
    datetime | None,
    typer.Option(formats=["%Y-%m-%dT%H:%M:%S", "%Y-%m-%d"], help="Of this moment and later, in this machine's time."),
]
Before = Annotated[
    datetime | None,
    typer.Option(formats=["%Y-%m-%dT%H:%M:%S", "%Y-%m-%d"], help="Before this moment, in this machine's time."),
]
Id = Annotated[str, typer.Argument(metavar="ID", help="A delivery.")]


@webhooks.callback()
def about() -> None:
    """See what became of your webhooks, and make them again."""


@webhooks.command("list")
def list_deliveries(
    dead: Annotated[bool, typer.Option("--dead", help="Those that were given up.")] = False,
    pending: Annotated[bool, typer.Option("--pending", help="Those that are still tried.")] = False,
    generation: Annotated[str | None, typer.Option(metavar="ID", help="Those that tell of this generation.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="How many, the newest.")] = 20,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = None,
    as_json: AsJson = False,
) -> None:
    """List deliveries, the newest first. In JSON each is one line."""
    from darkroom.contract.webhook import DeliveryState

    states = [state for state, wanted in ((DeliveryState.DEAD, dead), (DeliveryState.PENDING, pending)) if wanted]
    with gateway.connect(url, api_key) as client:
        found = list(itertools.islice(client.deliveries(state=states or None, generation=generation), limit))
    if as_json:
        for each in found:
            print(each.model_dump_json())
        return
    show_table(("id", "tells of", "state", "url"), [_row(each) for each in found], colors=COLORS)


@webhooks.command()
def show(delivery: Id, url: Url = DEFAULT_URL, api_key: ApiKey = None, as_json: AsJson = False) -> None:
    """Show a delivery with its attempts."""
    with gateway.connect(url, api_key) as client:
        found = client.delivery(delivery)
    if as_json:
        print(found.model_dump_json())
        return
    _tell(found)


@webhooks.command()
def replay(
    deliveries: Annotated[
        list[str] | None, typer.Argument(metavar="ID", help="Deliveries, also of what arrived.")
    ] = None,
    dead: Annotated[bool, typer.Option("--dead", help="All that were given up, of the time that is named.")] = False,
    after: Moment = None,
    before: Before = None,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = None,
) -> None:
    """Make deliveries again, now, under the same ids. Exit code 1 when one of them cannot be."""
    from darkroom.client import Refused

    if bool(deliveries) == dead:
        raise typer.BadParameter("name deliveries, or --dead for all that were given up", param_hint="ID")
    failed = False
    with gateway.connect(url, api_key) as client:
        if dead:
            print(client.replay_all(after=after, before=before))
        for delivery in deliveries or ():
            try:
                print(f"{delivery} {client.replay(delivery).state}")
            except Refused as error:
                complain(f"{delivery}: {error} ({error.code})")
                failed = True
    if failed:
        raise typer.Exit(1)


@webhooks.command()
def endpoints(url: Url = DEFAULT_URL, api_key: ApiKey = None, as_json: AsJson = False) -> None:
    """List the URLs that are sent nothing more, because they answered 410."""
    with gateway.connect(url, api_key) as client:
        found = client.endpoints()
    if as_json:
        print(found.model_dump_json())
        return
    show_table(("since", "url"), [(_when(each.since), each.url) for each in found.disabled], colors=COLORS)


@webhooks.command()
def enable(
    receiver: Annotated[str, typer.Argument(metavar="URL", help="Of a receiver that answered 410.")],
    url: Url = DEFAULT_URL,
    api_key: ApiKey = None,
) -> None:
    """Send to a URL again that was given up. What ended meanwhile can be replayed."""
    with gateway.connect(url, api_key) as client:
        client.enable(receiver)
    print(f"{receiver} enabled")


def _row(delivery: "DeliveryShown") -> tuple[str, ...]:
    tries = f", {delivery.attempts} tries" if delivery.attempts > 1 else ""
    return delivery.id, delivery.event.removeprefix("generation."), f"{_state(delivery)}{tries}", delivery.url


def _state(delivery: "DeliveryShown") -> str:
    return f"{delivery.state}, {delivery.reason}" if delivery.reason else str(delivery.state)


def _tell(delivery: "DeliveryDetail") -> None:
    lines: Sequence[tuple[str, str]] = (
        ("delivery", delivery.id),
        ("event", delivery.event),
        ("generation", delivery.generation),
        ("url", delivery.url),
        ("state", _state(delivery)),
        *((("next", _when(delivery.due_at)),) if delivery.due_at else ()),
    )
    for name, value in lines:
        on_stdout().print(f"{name:<12}{printable(value)}", markup=False)
    if delivery.log:
        print()
    rows = [
        (str(each.number), _when(each.at), each.fault or str(each.status), f"{each.milliseconds} ms")
        for each in delivery.log
    ]
    show_table((">attempt", "at", "answer", ">took"), rows)


def _when(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
