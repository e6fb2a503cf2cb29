"""`darkroom models` and `darkroom loras`: what can be asked for."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from darkroom.cli import gateway
from darkroom.cli.console import complain
from darkroom.cli.gateway import DEFAULT_URL, ApiKey, AsJson, Url
from darkroom.cli.tables import bytes_words, show_table

if TYPE_CHECKING:
    from collections.abc import Collection

    from darkroom.contract.listing import Model, Unavailable


def models(url: Url = DEFAULT_URL, api_key: ApiKey = None, as_json: AsJson = False) -> None:
    """List the models and their defaults."""
    with gateway.connect(url, api_key) as client:
        found = client.models()
        if as_json:
            print(found.model_dump_json())
            return
        unserved = set(client.unserved())
    titles = ("name", "family", "size", ">steps", ">guidance", "scheduler", "")
    show_table(titles, [_model(each, found.default, unserved) for each in found.models])


def _model(model: "Model", default: str, unserved: "Collection[str]") -> tuple[str, ...]:
    notes = ["default"] if model.name == default else []
    notes += ["no worker serves it"] if model.name in unserved else []
    return (
        model.name,
        model.family,
        f"{model.native_width}x{model.native_height}",
        str(model.default_steps),
        f"{model.default_guidance_scale:g}",
        model.default_scheduler,
        ", ".join(notes),
    )


def loras(url: Url = DEFAULT_URL, api_key: ApiKey = None, as_json: AsJson = False) -> None:
    """List the LoRAs. Those that are configured but broken are told on stderr."""
    with gateway.connect(url, api_key) as client:
        found = client.loras()
    if as_json:
        print(found.model_dump_json())
        return
    rows = [
        (each.name, str(each.rank), bytes_words(each.bytes), each.format, ", ".join(each.models) or "none")
        for each in found.loras
    ]
    show_table(("name", ">rank", ">size", "format", "for"), rows)
    _tell_broken(found.unavailable)


def _tell_broken(broken: "Iterable[Unavailable]") -> None:
    for each in broken:
        complain(f"{each.name} cannot be had: {each.reason} ({each.code})")
