"""A byte-level BPE tokenizer of CLIP's kind, learned from the captions (Sennrich et al. 2016; Radford et al. 2021)."""

import json
import random
import re
from collections import Counter
from itertools import pairwise
from pathlib import Path

from transformers import CLIPTokenizer

from training.captions import caption
from training.scenes import sample_scene

VOCABULARY = 1000  # tokens, the two special ones included
MAX_LENGTH = 77  # tokens, what the field expects of a CLIP text encoder
CAPTIONS = 20_000
START, END = "<|startoftext|>", "<|endoftext|>"
WORD = re.compile(r"[a-z]+|\d|,")
ORDINARY_TEXT = """
the of and to in is that it for was with as his on be at by had not are but from or have an they which one you were
all there would their we him been has when who will more no if out so up its about into than them can only other new
some time these two may then first any now such like our over me even most made after also many before must through
back years where much your way well down should because each just those people how too little good very make world
still see work long here between life being under never day same another know while last great old
photo picture painting portrait drawing landscape mountain river sea forest city night sunset cat dog horse bird house
tree flower car boat street sky cloud beautiful detailed high quality realistic oil watercolor digital art anime dark
bright light blurry ugly low crescent moon neon outline glowing style sketch striped gray grey brown colour color
"""
ORDINARY_WORDS = ORDINARY_TEXT.split()
ORDINARY_COUNT = 3  # how often each ordinary word counts, so that foreign prompts split into something sensible


def byte_letters() -> list[str]:
    """A printable letter for each of the 256 bytes, in GPT-2's order: printable bytes first, as themselves."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    return [chr(byte) for byte in printable] + [chr(256 + index) for index in range(256 - len(printable))]


def word_counts(rng: random.Random, captions: int = CAPTIONS) -> Counter[str]:
    """How often each word stands in `captions` captions, ordinary English words thrown in."""
    counts: Counter[str] = Counter()
    for _ in range(captions):
        counts.update(WORD.findall(caption(rng, sample_scene(rng))))
    for word in ORDINARY_WORDS:
        counts[word] += ORDINARY_COUNT
    return counts


def _merge(tokens: list[str], pair: tuple[str, str]) -> list[str]:
    merged: list[str] = []
    for token in tokens:
        if merged and (merged[-1], token) == pair:
            merged[-1] += token
        else:
            merged.append(token)
    return merged


def learn(counts: Counter[str], size: int = VOCABULARY) -> tuple[list[str], list[tuple[str, str]]]:
    """Vocabulary and merges: the most frequent neighbours become one token until `size` is reached."""
    alphabet = byte_letters()
    vocabulary = alphabet + [letter + "</w>" for letter in alphabet]
    words = {word: [*word[:-1], word[-1] + "</w>"] for word in counts}
    merges: list[tuple[str, str]] = []
    while len(vocabulary) < size - 2:
        pairs: Counter[tuple[str, str]] = Counter()
        for word, tokens in words.items():
            for pair in pairwise(tokens):
                pairs[pair] += counts[word]
        best = max(pairs, key=lambda pair: (pairs[pair], pair))
        words = {word: _merge(tokens, best) for word, tokens in words.items()}
        merges.append(best)
        vocabulary.append("".join(best))
    return [*vocabulary, START, END], merges


def train_tokenizer(seed: int, folder: Path, captions: int = CAPTIONS) -> CLIPTokenizer:
    """Learn a tokenizer and write it to `folder`, the classic vocab.json and merges.txt included."""
    vocabulary, merges = learn(word_counts(random.Random(seed), captions))
    folder.mkdir(parents=True, exist_ok=True)
    ids = {token: index for index, token in enumerate(vocabulary)}
    lines = ["#version: 0.2", *(" ".join(pair) for pair in merges)]
    (folder / "vocab.json").write_text(json.dumps(ids, ensure_ascii=False), encoding="utf-8")
    (folder / "merges.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    tokenizer = CLIPTokenizer(str(folder / "vocab.json"), str(folder / "merges.txt"), model_max_length=MAX_LENGTH)
    tokenizer.save_pretrained(folder)
    return CLIPTokenizer.from_pretrained(folder)
