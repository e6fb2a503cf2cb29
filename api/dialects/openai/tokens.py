"""How many tokens the words of a generation are, counted by its model's own tokenizer."""

import asyncio
from functools import lru_cache
from pathlib import Path

from tokenizers import Regex, Tokenizer, normalizers, pre_tokenizers
from tokenizers.models import BPE

from api.dialects.openai.answers import Tokens, made_plan
from darkroom.contract.job import Job
from darkroom.contract.model import ModelSpec
from darkroom.errors import DarkroomError
from darkroom.log import get_logger
from darkroom.prompt import parse
from darkroom.services import Services

# Of `CLIPTokenizer` in transformers, for models that have its vocabulary in two files.
_WORDS = r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"

_log = get_logger(__name__)


async def tokens_of(services: Services, job: Job) -> Tokens:
    """Of prompt and negative prompt, without the marks of emphasis. None are counted where the model, or what reads its
    words, is not here any more: the pictures are."""
    plan = made_plan(job)
    try:
        spec = services.catalog.spec(plan.model)
    except DarkroomError:
        return Tokens()
    return Tokens(await asyncio.to_thread(count, spec, (plan.prompt, plan.negative_prompt)))


def count(spec: ModelSpec, texts: tuple[str, ...]) -> int:
    tokenizer = _opened(_folder(spec))
    if tokenizer is None:
        return 0
    pieces = [piece.text for text in texts for section in parse(text).sections for piece in section]
    return sum(len(tokenizer.encode(piece, add_special_tokens=False).ids) for piece in pieces)


def _folder(spec: ModelSpec) -> Path:
    if spec.layout == "single_file":
        return Path(spec.tokenizer)
    return Path(spec.path) / ("tokenizer_2" if spec.family == "sdxl_refiner" else "tokenizer")


@lru_cache(maxsize=8)
def _opened(folder: Path) -> Tokenizer | None:
    """None where there is none that can be read in this way."""
    try:
        whole = folder / "tokenizer.json"
        tokenizer = Tokenizer.from_file(str(whole)) if whole.exists() else _of_two_files(folder)
    except Exception as error:  # noqa: BLE001 - the library raises nothing narrower
        _log.warning("tokenizer.unreadable", name=folder.name, error=type(error).__name__)
        return None
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def _of_two_files(folder: Path) -> Tokenizer:
    vocabulary, merges = str(folder / "vocab.json"), str(folder / "merges.txt")
    tokenizer = Tokenizer(BPE.from_file(vocabulary, merges, end_of_word_suffix="</w>", unk_token="<|endoftext|>"))  # noqa: S106
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()]
    )
    words = pre_tokenizers.Split(Regex(_WORDS), behavior="removed", invert=True)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([words, pre_tokenizers.ByteLevel(add_prefix_space=False)])
    return tokenizer
