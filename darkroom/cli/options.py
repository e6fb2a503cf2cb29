"""Options that several commands have, in the same words."""

from typing import Annotated

import typer

from darkroom.cli.completing import names_of
from darkroom.cli.numbers import finite_option

Size = Annotated[str | None, typer.Option(help="Width and height, as 128x128.")]
Steps = Annotated[int | None, typer.Option(help="Denoising steps.")]
Guidance = Annotated[float | None, typer.Option(help="How closely to follow the prompt.", callback=finite_option)]
Scheduler = Annotated[
    str | None, typer.Option(help="Sampler, as ddim or dpmpp_2m.", autocompletion=names_of("schedulers"))
]
Model = Annotated[
    str | None,
    typer.Option(help="Which model; the service's default if left out.", autocompletion=names_of("models")),
]
Loras = Annotated[
    list[str] | None,
    typer.Option(help="A LoRA and its weight, as neon:0.8; again for more of them.", autocompletion=names_of("loras")),
]
Vae = Annotated[
    str | None,
    typer.Option(help="Another VAE than the model's own, by its name.", autocompletion=names_of("vaes")),
]
