"""`darkroom generate`: words in, perhaps with a picture, and a picture out."""

from pathlib import Path
from typing import Annotated, Any

import typer

from darkroom.cli import gateway
from darkroom.cli.console import on_stderr, on_stdout, print_json
from darkroom.cli.controls import parse_controls
from darkroom.cli.gateway import DEFAULT_URL, ApiKey, AsJson, Url
from darkroom.cli.numbers import finite, finite_option
from darkroom.cli.options import Guidance, Loras, Model, Scheduler, Size, Steps, Vae
from darkroom.cli.output import format_of
from darkroom.cli.sizes import parse_size

_SIDES = ("left", "top", "right", "bottom")


def generate(  # noqa: PLR0913 - its options are its interface
    prompt: Annotated[str, typer.Argument(help="What the picture shows.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Where it goes: .png, .jpg or .webp.")] = Path(
        "out.png"
    ),
    negative: Annotated[str, typer.Option("--negative", help="What it must not show.")] = "",
    size: Size = None,
    steps: Steps = None,
    guidance: Guidance = None,
    scheduler: Scheduler = None,
    seed: Annotated[int | None, typer.Option(help="Repeat a picture; random if left out.")] = None,
    number: Annotated[int, typer.Option("--number", "-n", help="How many; they become out-0.png, out-1.png …")] = 1,
    image: Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="Begin with this picture.")] = None,
    mask: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Make anew only what is white in this one.")
    ] = None,
    strength: Annotated[
        float | None, typer.Option(help="How far to leave the image behind: 0 to 1.", callback=finite_option)
    ] = None,
    expand: Annotated[str | None, typer.Option(help="Pixels to add around it, as LEFT,TOP,RIGHT,BOTTOM.")] = None,
    hires: Annotated[
        float | None,
        typer.Option(
            help="Enlarge it this many times and draw over it, as 1.5.", metavar="SCALE", callback=finite_option
        ),
    ] = None,
    refiner: Annotated[str | None, typer.Option(help="Model that makes the last fifth of the steps.")] = None,
    clip_skip: Annotated[int | None, typer.Option(help="Last layers of the text encoder to leave out.")] = None,
    model: Model = None,
    lora: Loras = None,
    control: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TYPE:IMAGE",
            help="Follow a picture's lines or depth, as canny:photo.png:0.8, by a file or the id of an asset; "
            "canny/NAME:photo.png names the ControlNet. Again for more of them.",
        ),
    ] = None,
    ready_map: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="TYPE:IMAGE", help="The same, by a map that is made already, as by preprocess."),
    ] = None,
    vae: Vae = None,
    label: Annotated[
        str | None, typer.Option(help="Draw these words for people to read, as AI-generated; the service knows which.")
    ] = None,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = None,
    as_json: AsJson = False,
) -> None:
    """Make a picture, and show how it comes along.

    Ctrl-C cancels it. In JSON it is the record of the generation, with the `files` that were written.
    """
    from darkroom.cli.following import canceled_when_interrupted, follow
    from darkroom.cli.progress import progress_of

    width, height = size_option(size)
    controls = list(parse_controls(control or (), ready_map or ()))
    asked = {
        "negative_prompt": negative,
        "width": width,
        "height": height,
        "steps": steps,
        "guidance_scale": guidance,
        "scheduler": scheduler,
        "seed": seed,
        "n": number,
        "model": model,
        "loras": [parse_lora(words) for words in lora or ()] or None,
        "vae": vae,
        "output_format": format_of(output),
        "strength": strength,
        "expand": _parse_expand(expand),
        "hires": None if hires is None else {"scale": hires},
        "refiner": None if refiner is None else {"model": refiner},
        "clip_skip": clip_skip,
        "visible_label": label,
        "controlnets": [part.asked for part in controls] or None,
        "image": image,
        "mask": mask,
    }
    given: Any = {name: value for name, value in asked.items() if value is not None}
    with gateway.connect(url, api_key) as client:
        generation = client.submit(prompt, **given)
        with canceled_when_interrupted(client, generation.id):
            made = follow(client, generation, progress_of(generation, on_stderr()))
        paths = [str(path) for path in client.save(made, output)]
    if as_json:
        print_json({**made.model_dump(mode="json"), "files": paths})
        return
    for path in paths:
        on_stdout().print(path, markup=False)


def parse_lora(words: str) -> dict[str, Any]:
    """`name` or `name:weight`."""
    name, _, weight = words.partition(":")
    try:
        return {"model": name, "weight": finite(weight or "1")}
    except ValueError:
        raise typer.BadParameter(f"{words!r} is not NAME:WEIGHT, as in neon:0.8", param_hint="--lora") from None


def size_option(size: str | None) -> tuple[int | None, int | None]:
    """Raises: typer.BadParameter."""
    if size is None:
        return None, None
    try:
        return parse_size(size)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--size") from None


def _parse_expand(expand: str | None) -> dict[str, int] | None:
    if expand is None:
        return None
    sides = [side.strip() for side in expand.split(",")]
    if len(sides) != len(_SIDES) or not all(side.isdecimal() for side in sides):
        raise typer.BadParameter(f"{expand!r} is not LEFT,TOP,RIGHT,BOTTOM, as in 0,0,64,0", param_hint="--expand")
    return dict(zip(_SIDES, map(int, sides), strict=True))
