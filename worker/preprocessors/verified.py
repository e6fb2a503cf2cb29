"""Weights as the catalog described them, and nothing beside them: what loads by folder sees these files alone."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

from darkroom.catalog.weights import fresh_sha256
from worker.models.tensor_file import not_described, reading


class Described(Protocol):
    """What a network is loaded from: `files` in `folder`, name -> SHA-256."""

    @property
    def folder(self) -> str: ...

    @property
    def files(self) -> Mapping[str, str]: ...


@contextmanager
def verified(spec: Described) -> Iterator[Path]:
    """A folder of links to the files of `spec`, each of the content that its digest stands for.

    transformers looks for more than these: a `processor_config.json` goes before the processor's own file.

    Raises: MissingWeights, BrokenWeights, naming the file.
    """
    with TemporaryDirectory(prefix="darkroom-preprocessor-") as links:
        for name, sha256 in spec.files.items():
            file = Path(spec.folder).resolve() / name
            with reading(file):
                if fresh_sha256(file) != sha256:
                    raise not_described(file)
            (Path(links) / name).symlink_to(file)
        yield Path(links)
