"""`darkroom demo`: from a prompt to a proven picture, through every part of the service."""

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from darkroom.cli import gateway
from darkroom.cli.console import CommandFailed, on_stderr
from darkroom.cli.output import format_of

if TYPE_CHECKING:
    from darkroom.cli.stack import Stack

PROMPT = "a red circle on a white background"
SEED = 7


def demo(
    output: Annotated[Path, typer.Argument(help="Where the picture goes.")] = Path("demo.png"),
    prompt: Annotated[str, typer.Option(help="What it shows.")] = PROMPT,
) -> None:
    """Start everything, make one picture, prove it, stop again.

    In a temporary home, and over HTTP.
    """
    from darkroom.cli.stack import running
    from darkroom.services.configuration import load_settings

    console = on_stderr()
    format_of(output, {".png": "png"}, hint="output")
    forget_environment()
    with tempfile.TemporaryDirectory(prefix="darkroom-demo-") as home:
        settings = load_settings(home=Path(home), host="127.0.0.1", port=0, standby=False)
        settings = settings.model_copy(update={"allow_anonymous": True})
        with running(settings, lambda stage: console.print(f"demo: starting the {stage}")) as service:
            console.print(f"demo: serving on {service.url}")
            state = make_and_verify(service, prompt, output)
        if state != "intact":
            raise CommandFailed(f"{output} came back as {state}, not intact")
    typer.echo(f"demo: ok {output} {state}")


def forget_environment() -> None:
    """The demo is the same for everybody: no setting of the caller's reaches it or the processes it starts."""
    from darkroom.services.configuration import PREFIX

    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        del os.environ[name]


def make_and_verify(service: "Stack", prompt: str, output: Path) -> str:
    """One picture over HTTP to `output`. Returns the verdict on its bytes as they lie on the disk."""
    from darkroom.cli.following import follow
    from darkroom.cli.progress import progress_of

    with gateway.connect(service.url, "") as client:
        generation = client.submit(prompt, seed=SEED)
        made = follow(client, generation, progress_of(generation, on_stderr()))
        for path in client.save(made, output):
            on_stderr().print(f"demo: {prompt!r} is {path}", markup=False)
        return str(client.verify(output).state)
