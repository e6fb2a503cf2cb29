"""A textual inversion that prompts can name, known from the header of its file without loading it."""

from darkroom.contract.base import Settled


class EmbeddingSpec(Settled):
    """`vectors` take the place of as many tokens; `widths` has one entry a text encoder: (CLIP-L,) or (CLIP-L, CLIP-G).

    `models` are the names of those whose text encoders it fits.
    """

    name: str
    path: str
    sha256: str
    vectors: int
    widths: tuple[int, ...]
    models: tuple[str, ...]
