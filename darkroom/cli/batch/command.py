"""`darkroom batch`: its options, and what it tells."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from darkroom.cli import gateway
from darkroom.cli.console import CommandFailed, complain, on_stderr, print_json
from darkroom.cli.gateway import DEFAULT_URL, ApiKey, AsJson, Url
from darkroom.cli.generate import parse_lora, size_option
from darkroom.cli.options import Guidance, Loras, Model, Scheduler, Size, Steps
from darkroom.cli.output import FORMATS, format_of

if TYPE_CHECKING:
    from darkroom.cli.batch.making import Row

FAILED = 1
# More patience than one picture has: a batch may well meet a full line, or a gateway that is restarted.
RETRIES = 8
Format = Literal["png", "jpeg", "webp"]


def batch(  # noqa: PLR0913 - its options are its interface
    prompts: Annotated[
        str,
        typer.Argument(
            metavar="PROMPTS",
            help="A file with a prompt a line, - for stdin. `#` begins a remark; behind ` -- ` a line may have its own "
            "seed=, steps=, size=, guidance=, scheduler=, model= and vae=.",
        ),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder for the pictures; what is there is not made again.")
    ] = Path("batch"),
    contact_sheet: Annotated[
        Path | None, typer.Option(metavar="SHEET", help="All of them small on one: .png, .jpg or .webp.")
    ] = None,
    at_once: Annotated[int, typer.Option("--at-once", "-j", min=1, max=64, help="How many are in flight.")] = 8,
    output_format: Annotated[Format, typer.Option("--format", help="Of the pictures.")] = "png",
    negative: Annotated[str, typer.Option("--negative", help="What none of them must show.")] = "",
    size: Size = None,
    steps: Steps = None,
    guidance: Guidance = None,
    scheduler: Scheduler = None,
    seed: Annotated[int | None, typer.Option(help="Of each line without its own; random if left out.")] = None,
    model: Model = None,
    lora: Loras = None,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = None,
    as_json: AsJson = False,
) -> None:
    """Make a picture of each line of a file, some at a time. Begun again, it makes what is lacking.

    The exit code is 0 when all of them are there, and 1 when one of them is not. Ctrl-C cancels what is in flight.
    """
    from darkroom.cli.batch.making import rows_of

    width, height = size_option(size)
    shared = {
        "negative_prompt": negative or None,
        "width": width,
        "height": height,
        "steps": steps,
        "guidance_scale": guidance,
        "scheduler": scheduler,
        "seed": seed,
        "model": model,
        "loras": [parse_lora(words) for words in lora or ()] or None,
        "output_format": output_format,
        "priority": "bulk",
    }
    lines = _read(prompts, {name: value for name, value in shared.items() if value is not None})
    if contact_sheet is not None:
        format_of(contact_sheet, hint="--contact-sheet")
    output.mkdir(parents=True, exist_ok=True)
    rows = rows_of(lines, output, next(end for end, name in FORMATS.items() if name == output_format))
    _make(rows, at_once, url, api_key, as_json=as_json)
    _end(rows, contact_sheet)


def _read(prompts: str, shared: dict[str, Any]) -> "Sequence[Any]":
    from darkroom.cli.batch.lines import parse_lines

    try:
        text = sys.stdin.read() if prompts == "-" else Path(prompts).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise CommandFailed(f"{prompts}: it is not UTF-8") from None
    lines, wrong = parse_lines(text, shared)
    for words in wrong:
        complain(f"{prompts}: {words}")
    if wrong:
        raise typer.Exit(2)
    if not lines:
        raise CommandFailed(f"{prompts}: there is no prompt in it")
    return lines


def _make(rows: "list[Row]", at_once: int, url: str, api_key: str | None, *, as_json: bool) -> None:
    import asyncio

    from darkroom.cli.batch.board import board_of, summary
    from darkroom.cli.batch.making import make_all

    def tell(row: "Row") -> None:
        if as_json:
            print_json(_told(row))
        elif row.state == "failed":
            complain(f"line {row.line.number}: {row.words}")
        else:
            print(row.path, flush=True)

    async def make() -> None:
        async with gateway.connect_async(url, api_key, retries=RETRIES) as client:
            await make_all(client, rows, at_once, tell)

    for row in rows:
        if row.over:
            tell(row)
    try:
        with board_of(rows, on_stderr()):
            asyncio.run(make())
    except KeyboardInterrupt:
        on_stderr().print(f"{summary(rows)}; the same command goes on from here", markup=False)
        raise


def _told(row: "Row") -> dict[str, Any]:
    return {
        "line": row.line.number,
        "prompt": row.line.prompt,
        "state": row.state,
        "path": str(row.path) if row.state != "failed" else None,
        "generation": row.generation,
        "error": row.words or None,
    }


def _end(rows: "Sequence[Row]", contact_sheet: Path | None) -> None:
    from darkroom.cli.batch.board import summary

    if contact_sheet is not None:
        from darkroom.cli.batch.sheet import Cell, write_sheet

        write_sheet([Cell(row.path, row.line.prompt, row.words) for row in rows], contact_sheet)
    sheet = f"; {contact_sheet}" if contact_sheet else ""
    on_stderr().print(summary(rows) + sheet, markup=False)
    if any(row.state == "failed" for row in rows):
        raise typer.Exit(FAILED)
