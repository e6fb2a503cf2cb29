"""Textual inversions: what a file holds, from its header alone, and which of them a prompt names.

Files of one encoder hold one tensor, whatever its name (A1111: `emb_params`; diffusers: the placeholder's name), of one
row a token. Files for Stable Diffusion XL hold `clip_l` and `clip_g`, with as many rows each.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from darkroom.catalog.hub import located_file
from darkroom.catalog.listed import Listed
from darkroom.catalog.safetensors_header import TensorHeader, UnsoundHeader, read_header
from darkroom.catalog.unavailable import Unavailable, set_aside
from darkroom.contract.embedding import EmbeddingSpec
from darkroom.contract.model import ModelSpec
from darkroom.errors import BrokenWeights, MissingWeights

SUFFIX = ".safetensors"
MOST_VECTORS = 75
MAX_FILE_BYTES = 16 * 1024 * 1024
BOTH_ENCODERS = ("clip_l", "clip_g")
FLOATS = ("F16", "BF16", "F32")


class Embeddings(Listed[EmbeddingSpec]):
    """Embeddings by name."""

    kind = "embedding"

    def __init__(self, specs: Iterable[EmbeddingSpec] = (), unavailable: Iterable[Unavailable] = ()) -> None:
        super().__init__(specs, unavailable)
        longest_first = sorted({*self._specs, *self._unavailable}, key=lambda name: (-len(name), name))
        alternatives = "|".join(map(re.escape, longest_first))
        self._named = re.compile(rf"(?<![a-z0-9_])(?:{alternatives})(?![a-z0-9_])") if alternatives else None

    def spec(self, name: str) -> EmbeddingSpec | None:
        return self._specs.get(name)

    def named_in(self, text: str) -> tuple[str, ...]:
        """Names that stand in `text` as words of their own, in whatever case: tokenizers see none.

        Where one name begins another, the longer is meant, as it is when the text is encoded.
        """
        return tuple(sorted(set(self._named.findall(text.lower())))) if self._named else ()


def read_embeddings(
    files: Mapping[str, Path], models: Iterable[ModelSpec], sha256: Callable[[Path], str]
) -> Embeddings:
    """The embeddings of these files, name -> file, each held against every model."""
    specs: list[EmbeddingSpec] = []
    unavailable: list[Unavailable] = []
    known = tuple(models)
    for name, file in files.items():
        with set_aside(name, file, unavailable):
            specs.append(read_embedding(name, located_file(file), known, sha256))
    return Embeddings(specs, unavailable)


def read_embedding(name: str, file: Path, models: Iterable[ModelSpec], sha256: Callable[[Path], str]) -> EmbeddingSpec:
    """Describe the embedding in `file`. Raises: MissingWeights, BrokenWeights, naming the file."""
    if file.suffix != SUFFIX:
        raise BrokenWeights(file.name, f"is not a {SUFFIX} file")
    try:
        if file.stat().st_size > MAX_FILE_BYTES:
            raise BrokenWeights(file.name, f"larger than {MAX_FILE_BYTES} bytes")
        header = read_header(file)
        shapes = [_rows(file, header[key]) for key in encoder_keys(file, header)]
        if len({vectors for vectors, _ in shapes}) > 1:
            raise BrokenWeights(file.name, "has other numbers of vectors for its two encoders")
        widths = tuple(width for _, width in shapes)
        fitting = tuple(sorted(model.name for model in models if _fits(widths, model)))
        return EmbeddingSpec(
            name=name, path=str(file), sha256=sha256(file), vectors=shapes[0][0], widths=widths, models=fitting
        )
    except FileNotFoundError as error:
        raise MissingWeights(file.name, "no such file") from error
    except UnsoundHeader as error:
        raise BrokenWeights(file.name, str(error)) from error
    except OSError as error:
        raise BrokenWeights(file.name, f"cannot be read ({type(error).__name__})") from error


def _fits(widths: tuple[int, ...], model: ModelSpec) -> bool:
    """A refiner of Stable Diffusion XL has the second of two encoders alone, and takes that part of a file for both."""
    of_refiner = widths[1:] if model.family == "sdxl_refiner" and len(widths) > 1 else widths
    return model.text_widths == of_refiner


def encoder_keys(file: Path, header: Mapping[str, TensorHeader]) -> tuple[str, ...]:
    """The tensors of the file's encoders, in their order. Raises: BrokenWeights."""
    if set(header) == set(BOTH_ENCODERS):
        return BOTH_ENCODERS
    if len(header) == 1:
        return tuple(header)
    raise BrokenWeights(file.name, f"holds neither one tensor nor {' and '.join(BOTH_ENCODERS)}")


def _rows(file: Path, tensor: TensorHeader) -> tuple[int, int]:
    """(vectors, width) of a tensor."""
    vectors, width = tensor.shape if len(tensor.shape) == 2 else (1, *tensor.shape, 0)[:2]
    if len(tensor.shape) not in (1, 2) or tensor.dtype not in FLOATS:
        raise BrokenWeights(file.name, "holds no rows of numbers")
    if not 1 <= vectors <= MOST_VECTORS or not width:
        raise BrokenWeights(file.name, f"has {vectors} vectors of {width} numbers, of at most {MOST_VECTORS}")
    return vectors, width
