"""`darkroom verify`: where a picture comes from, as far as that can be proven."""

import asyncio
from pathlib import Path
from typing import Annotated, Any

import typer

from darkroom.cli.console import on_stderr, on_stdout
from darkroom.cli.generate import DEFAULT_URL, ApiKey
from darkroom.errors import UnavailableError

NOT_INTACT = 3
MaybeUrl = Annotated[
    str | None,
    typer.Option(
        envvar="DARKROOM_URL", help="The gateway. Left out: the one on this machine, else this machine's own records."
    ),
]


def verify(
    file: Annotated[Path, typer.Argument(help="A picture.", exists=True, dir_okay=False)],
    url: MaybeUrl = None,
    api_key: ApiKey = None,
    local: Annotated[bool, typer.Option("--local", help="Ask no gateway; use this machine's own records.")] = False,
) -> None:
    """Say what is provable about a picture: its credential, its watermark, and the record they lead to.

    The exit code is 0 when the picture is intact, 3 for any other verdict.
    """
    data = file.read_bytes()
    verdict = _verify_here(data) if local else _verify_anywhere(data, url, api_key)
    console = on_stdout()
    console.print(f"{file}: ", end="", markup=False)
    console.print(verdict["state"], style="bold")
    for line in words_of(verdict):
        console.print(f"  {line}", markup=False)
    if verdict["state"] != "intact":
        raise typer.Exit(NOT_INTACT)


def words_of(verdict: dict[str, Any]) -> list[str]:
    """The verdict's evidence, a line each; what was not found has no line."""
    lines = [verdict["text"]]
    if made := verdict.get("generation"):
        lines.append(f"made by    {made['model']}, seed {made['seed']}, {made['width']}x{made['height']}")
        lines.append(f"made at    {made['created_at']}")
    if signer := verdict.get("signer"):
        lines.append(f"signed by  {signer['common_name']}, {_standing(signer)}")
    if verdict.get("manifest_id"):
        lines.append(f"manifest   {verdict['manifest_id']}")
    if verdict.get("watermark_id"):
        lines.append(f"watermark  {verdict['watermark_id']}")
    return lines


def _standing(signer: dict[str, Any]) -> str:
    if signer["development"]:
        return "a development certificate"
    return "trusted" if signer["trusted"] else "not trusted here"


def _verify_anywhere(data: bytes, url: str | None, api_key: str | None) -> dict[str, Any]:
    """What a gateway says. Only where nobody named one may this machine answer instead, and it says so.

    Raises: UnavailableError for a gateway that was named and does not answer.
    """
    from darkroom.cli.client import Client

    try:
        with Client(url or DEFAULT_URL, api_key) as client:
            return client.verify(data)
    except UnavailableError:
        if url is not None:
            raise
    on_stderr().print(f"no gateway answers at {DEFAULT_URL}: answering from this machine's own records", markup=False)
    return _verify_here(data)


def _verify_here(data: bytes) -> dict[str, Any]:
    """The same verdict from the settings' own store, without a gateway. Makes no key and no folder."""
    return asyncio.run(_ask_own_verifier(data))


async def _ask_own_verifier(data: bytes) -> dict[str, Any]:
    from darkroom.services import onlooking_verifier
    from darkroom.services.configuration import load_settings

    async with onlooking_verifier(load_settings()) as verifier:
        verdict = await verifier.verify(data)
    answer: dict[str, Any] = verdict.model_dump(mode="json")
    return answer
