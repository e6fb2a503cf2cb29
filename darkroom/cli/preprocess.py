"""`darkroom preprocess`: a picture in, its control map out."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from darkroom.cli import gateway
from darkroom.cli.console import on_stderr, on_stdout
from darkroom.cli.gateway import DEFAULT_URL, ApiKey, Url
from darkroom.cli.output import format_of

if TYPE_CHECKING:
    from darkroom.contract.control import ControlType


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
    format_of(output, {".png": "png"})
    with gateway.connect(url, api_key) as client, on_stderr().status("making the map"):
        # Whether there is such a type, the gateway says.
        made = client.preprocess(cast("ControlType", kind), picture, detect_resolution=detect_resolution)
        output.write_bytes(client.asset(made.id))
    on_stdout().print(f"{output}  {made.id}", markup=False, soft_wrap=True)
