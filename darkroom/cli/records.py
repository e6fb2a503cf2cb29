"""`darkroom records`: what is kept of marked pictures, for their operator to look at and to forget."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from darkroom.cli.console import on_stdout

if TYPE_CHECKING:
    from darkroom.provenance import Record
    from darkroom.services.archive import Archive

T = TypeVar("T")

records = typer.Typer(name="records", no_args_is_help=True, rich_markup_mode=None)

NOTHING = "nothing is kept"
AFTERWARDS = "verify answers `unknown_id` for a copy without its credential, and as before for a file that has it"
Names = Annotated[
    list[str], typer.Argument(metavar="ID", help="A picture's watermark_id, or the id of a generation for all of it.")
]


@records.callback()
def about() -> None:
    """See or forget what is kept of marked pictures.

    In the store of the settings.
    """


@records.command()
def show(
    ids: Names,
    as_json: Annotated[bool, typer.Option("--json", help="Whole records, thumbnails included, a line each.")] = False,
) -> None:
    """Show the records of pictures. The exit code is 1 when nothing is kept of one of them."""
    kept = asyncio.run(_each(ids, lambda archive, name: archive.found(name)))
    for name, found in kept:
        for record in found:
            print(record.model_dump_json() if as_json else _told(record))
        if not found:
            on_stdout().print(f"{name}: {NOTHING}", markup=False)
    if not all(found for _, found in kept):
        raise typer.Exit(1)


@records.command()
def forget(ids: Names) -> None:
    """Delete records, manifests and the notes of their days, for good. Asking again does no harm.

    Nothing else is deleted: the pictures and what the ledger knows of a generation end with its result_ttl.
    """
    kept = asyncio.run(_each(ids, lambda archive, name: archive.forget(name)))
    for name, gone in kept:
        for each in gone:
            words = "manifest" if each.manifests == 1 else "manifests"
            on_stdout().print(f"{each.watermark_id}: forgotten, with {each.manifests} {words}", markup=False)
        if not gone:
            on_stdout().print(f"{name}: {NOTHING}", markup=False)
    if any(gone for _, gone in kept):
        on_stdout().print(AFTERWARDS, markup=False)


def _told(record: "Record") -> str:
    hidden = {"kind", "watermark_id", "thumbnail"}
    lines = [f"{name:<12}{_plain(value)}" for name, value in record.model_dump(mode="json", exclude=hidden).items()]
    return "\n  ".join((record.watermark_id, *lines))


def _plain(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


async def _each(ids: list[str], ask: "Callable[[Archive, str], Awaitable[list[T]]]") -> list[tuple[str, list[T]]]:
    """What is said of each, once all of them can be names."""
    from darkroom.log import configure_logging
    from darkroom.services.archive import is_name, open_archive
    from darkroom.services.configuration import load_settings

    if wrong := [name for name in ids if not is_name(name)]:
        raise typer.BadParameter(f"{wrong[0]!r} is no watermark_id, nor the id of a generation", param_hint="ID")
    settings = load_settings()
    configure_logging(service="records", log_format=settings.log_format, level=settings.log_level)
    async with open_archive(settings) as archive:
        return [(name, await ask(archive, name)) for name in ids]
