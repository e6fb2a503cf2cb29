"""`darkroom preprocess`: a picture in, its control map out."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from darkroom.cli.console import CommandFailed, on_stderr, on_stdout
from darkroom.cli.generate import DEFAULT_URL, ApiKey, Url
from darkroom.cli.output import format_of

if TYPE_CHECKING:
    from darkroom.cli.client import Client

LOOK_SECONDS = 1.0


def preprocess(
    kind: Annotated[
        str,
        typer.Argument(
            metavar="TYPE", help="canny, scribble, mlsd or softedge; with weights depth, segmentation or openpose."
        ),
    ],
    picture: Annotated[Path, typer.Argument(help="A picture.", exists=True, dir_okay=False)],
    output: Annotated[Path, typer.Option("--output", "-o", help="Where the map goes: a .png.")] = Path("map.png"),
    detect_resolution: Annotated[
        int, typer.Option(help="Pixels of the shorter side at which the picture is looked at.")
    ] = 512,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = None,
) -> None:
    """Make the control map of a picture. Prints the id by which generations may name it, as `generate --map` does."""
    from darkroom.cli.client import Client

    format_of(output, {".png": "png"})
    with Client(url, api_key) as client:
        asked = {"type": kind, "image": client.upload(picture.read_bytes()), "detect_resolution": detect_resolution}
        made = finished(client, client.preprocess(asked))
        output.write_bytes(client.asset(made["id"]))
    on_stdout().print(f"{output}  {made['id']}", markup=False, soft_wrap=True)


def finished(client: "Client", asked: dict[str, Any]) -> dict[str, Any]:
    """The map, once it is made. Raises: CommandFailed when it cannot be."""
    waited = False
    while asked["state"] in ("queued", "running"):
        if not waited:
            on_stderr().print("waiting for a worker", markup=False)
            waited = True
        time.sleep(LOOK_SECONDS)
        asked = client.preprocessing(asked["id"])
    if asked["map"] is None:
        failure = asked["failure"] or {"message": f"it ended as {asked['state']}", "code": asked["state"]}
        raise CommandFailed(f"{failure['message']} ({failure['code']})")
    made: dict[str, Any] = asked["map"]
    return made
