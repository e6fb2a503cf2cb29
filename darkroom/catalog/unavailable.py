"""What is configured and cannot be had."""

from dataclasses import dataclass

from darkroom.errors import ModelError


@dataclass(frozen=True)
class Unavailable:
    """A configured model, LoRA or embedding that cannot be used, and why."""

    name: str
    error: ModelError
