"""Embedding files -> vectors, by the content of the files. They are small: what was loaded once stays."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from darkroom.catalog import Catalog
from darkroom.catalog.embeddings import encoder_keys
from darkroom.catalog.safetensors_header import read_header
from darkroom.contract.plan import PlannedEmbedding
from darkroom.errors import BrokenWeights, MissingWeights
from worker.models.tensor_file import read_tensors, reading

Vectors = tuple[Tensor, ...]
"""One N C tensor a text encoder, in float32."""

Shelf = Callable[[PlannedEmbedding], Vectors]


def no_embeddings(wanted: PlannedEmbedding) -> Vectors:
    """A shelf with nothing on it. Raises: MissingWeights."""
    raise MissingWeights(wanted.name, "this worker has no embedding of that name")


def open_shelf(catalog: Catalog) -> Shelf:
    """A shelf of what `catalog` lists. It raises: MissingWeights, BrokenWeights."""

    @cache
    def fetch(wanted: PlannedEmbedding) -> Vectors:
        spec = catalog.embeddings.spec(wanted.name)
        if spec is None:
            return no_embeddings(wanted)
        if spec.sha256 != wanted.sha256:
            raise BrokenWeights(wanted.name, "the embedding has changed since this generation was planned")
        return load_vectors(Path(spec.path), spec.sha256)

    return fetch


def load_vectors(path: Path, sha256: str) -> Vectors:
    """Read the file at `path` once, and see that it is the one with this hash and holds nothing but finite numbers.

    Raises: MissingWeights, BrokenWeights, naming the file.
    """
    with reading(path):
        keys = encoder_keys(path, read_header(path))
        tensors = read_tensors(path, sha256)
    vectors = tuple(tensors[key].float().reshape(-1, tensors[key].shape[-1]) for key in keys)
    if not all(torch.isfinite(vectors_NC).all() for vectors_NC in vectors):
        raise BrokenWeights(path.name, "holds values that are not finite numbers")
    return vectors


@contextmanager
def in_place_of(places: dict[int, Tensor], text_encoder: Any) -> Iterator[None]:
    """While this is open, the token embedding of `text_encoder` gives these vectors, C each, at these positions."""

    def replace(module: object, given: object, embedded_1TC: Tensor) -> Tensor:
        replaced_1TC = embedded_1TC.clone()
        for position, vector_C in places.items():
            replaced_1TC[0, position] = vector_C.to(replaced_1TC)
        return replaced_1TC

    if not places:
        yield
        return
    hook = text_encoder.get_input_embeddings().register_forward_hook(replace)
    try:
        yield
    finally:
        hook.remove()
