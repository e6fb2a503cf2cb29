"""Where the tokenizer for a single-file checkpoint lies: no such file brings one."""

from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

from darkroom.catalog.configs import read_json
from darkroom.contract.model import ModelSpec
from darkroom.errors import BrokenWeights, MissingWeights, ModelError

SETTING = "DARKROOM_TOKENIZER"
# All of Stable Diffusion has CLIP's, of this many tokens.
CLIP_TOKENS = 49_408
# Packages that carry CLIP's merges, MIT licensed; the file is read, the package is not imported.
_CARRIERS = ("open_clip", "clip")
MERGES = "bpe_simple_vocab_16e6.txt.gz"


class Tokenizers:
    """First the one that is configured, then that of another checkpoint with as many tokens, then a package's."""

    def __init__(self, configured: Path | None, checkpoints: Iterable[ModelSpec]) -> None:
        self._configured = configured
        self._by_size: dict[int, str] = {}
        for spec in checkpoints:
            if spec.layout == "diffusers":
                self._by_size.setdefault(_vocabulary(spec), str(Path(spec.path) / _folder(spec)))

    def __call__(self, tokens: int) -> str:
        """The folder, or the file of merges, of a tokenizer for an encoder of so many tokens; empty without one.

        Raises: MissingWeights, BrokenWeights for the configured one, naming the setting.
        """
        if self._configured is not None:
            place = self._configured.expanduser().absolute()
            _check(place, tokens)
            return str(place)
        return self._by_size.get(tokens) or (_carried() if tokens == CLIP_TOKENS else "")


def _check(place: Path, tokens: int) -> None:
    """Is there a tokenizer, and does the encoder know its tokens: as far as can be told without opening it."""
    if not place.exists():
        raise MissingWeights(place.name, f"no such file or folder, which {SETTING} names")
    if not place.is_dir() or (place / "tokenizer.json").exists():
        return
    if not all((place / name).exists() for name in ("vocab.json", "merges.txt")):
        raise MissingWeights(place.name, f"no tokenizer.json, nor vocab.json and merges.txt, where {SETTING} names it")
    if (known := len(read_json(place, "vocab.json"))) > tokens:
        raise BrokenWeights(place.name, f"knows {known} tokens, the text encoder {tokens}: {SETTING} names another's")


def _folder(spec: ModelSpec) -> str:
    return "tokenizer_2" if spec.family == "sdxl_refiner" else "tokenizer"


def _vocabulary(spec: ModelSpec) -> int:
    encoder = _folder(spec).replace("tokenizer", "text_encoder")
    try:
        return int(read_json(Path(spec.path), f"{encoder}/config.json").get("vocab_size", CLIP_TOKENS))
    except (ModelError, TypeError, ValueError):
        return 0  # then it is nobody's; whoever loads the checkpoint will say what is wrong


def _carried() -> str:
    for package in _CARRIERS:
        found = find_spec(package)
        for folder in (found.submodule_search_locations or ()) if found else ():
            if (merges := Path(folder) / MERGES).is_file():
                return str(merges)
    return ""
