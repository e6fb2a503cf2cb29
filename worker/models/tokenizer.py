"""CLIP's tokenizer, for checkpoints that bring none."""

import gzip
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from transformers import CLIPTokenizer

from darkroom.errors import BrokenWeights, MissingWeights
from worker.models.networks import broken

# Merges in the file of OpenAI beyond these are of a larger vocabulary, which CLIP does not use.
MERGES = 49_152 - 256 - 2
MAX_MERGES_BYTES = 16 * 1024 * 1024
# What OpenCLIP's encoders were trained to see after the end of a text; those of OpenAI see the end again.
OPEN_CLIP_PAD = "!"


def open_tokenizer(place: Path, encoder: Mapping[str, Any], open_clip: bool) -> Any:
    """The tokenizer at `place`, a folder or a file of merges, for a text encoder with this configuration.

    Raises: MissingWeights, BrokenWeights, naming the file: also when it makes tokens that the encoder does not know.
    """
    options: dict[str, Any] = {"model_max_length": encoder["max_position_embeddings"]}
    if open_clip:
        options["pad_token"] = OPEN_CLIP_PAD
    if not place.exists():
        raise MissingWeights(place.name, "no such tokenizer")
    with broken(place.name):
        if place.is_dir():
            tokenizer = CLIPTokenizer.from_pretrained(place, local_files_only=True, **options)
        else:
            options["vocab"], options["merges"] = merged(place)
            tokenizer = CLIPTokenizer(**options)
    if len(tokenizer) > encoder["vocab_size"]:
        raise BrokenWeights(place.name, f"knows {len(tokenizer)} tokens, the text encoder {encoder['vocab_size']}")
    return tokenizer


def merged(file: Path) -> tuple[dict[str, int], list[tuple[str, str]]]:
    """(tokens, merges) of OpenAI's `bpe_simple_vocab_16e6.txt.gz`, as `SimpleTokenizer` of CLIP counts them."""
    with gzip.open(file) as opened:
        lines = opened.read(MAX_MERGES_BYTES).decode().split("\n")[1 : MERGES + 1]
    merges = [(first, second) for first, second in (line.split() for line in lines)]
    letters = list(_visible_bytes().values())
    tokens = [*letters, *(f"{letter}</w>" for letter in letters), *(first + second for first, second in merges)]
    return {token: index for index, token in enumerate([*tokens, "<|startoftext|>", "<|endoftext|>"])}, merges


def _visible_bytes() -> dict[int, str]:
    """`bytes_to_unicode` of GPT-2: each byte as a character that can be seen, in the order in which CLIP counts."""
    seen = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    unseen = [byte for byte in range(256) if byte not in seen]
    return {byte: chr(byte) for byte in seen} | {byte: chr(256 + index) for index, byte in enumerate(unseen)}
