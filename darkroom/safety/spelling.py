"""Text -> words as they are meant, whatever they are spelled with.

Compatibility forms, accents, invisible and combining characters, letters of other scripts that look Latin, digits and
signs for letters, letters one by one, and A1111's brackets inside words. Lists go the same way: both sides meet.

Unicode Standard Annex 15 (NFKD) and Technical Standard 39, whose skeleton is for names and too coarse here: it has `rn`
for `m`, and so would find other words in corn and pom. The letters are its data alone, one for one: `lookalikes.json`,
after confusables.txt (Unicode, Inc., under the Unicode License V3, https://www.unicode.org/license.txt).
"""

import json
import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Final, NamedTuple

import darkroom.safety
from darkroom.prompt import parse

# Small capitals; letters that UTS 39 has for twins of small capitals alone, or of Latin letters with hooks; of those
# that it has for l, the capitals that are small i; and what is typed for Latin by those who draw letters with others.
_MORE: Final = {
    "a": "ᴀᗩ", "b": "вʙც", "c": "ᴄᑕ", "d": "ᴅ∂", "e": "єᴇɛəǝ", "f": "ғꜰ", "g": "ɢ", "h": "нʜ", "i": "ɪΙІӀ", "j": "ᴊ",
    "k": "кκᴋ", "l": "ʟ", "m": "мᴍ", "n": "пηɴᑎⲛŋ", "o": "σᴏɵ", "p": "ᴘ", "q": "ᑫ", "r": "ʀ", "s": "ꜱᔕ", "t": "тτᴛ",
    "u": "ᴜʉ", "v": "ᴠ", "w": "ωᴡᗯ", "y": "ʏყ", "z": "ᴢᘔ",
}  # fmt: skip
# Latin letters with strokes, hooks and tails, that are accents to readers and letters of their own to Unicode.
_WITH: Final = re.compile(r"LATIN (?:SMALL|CAPITAL) LETTER ([A-Z]) WITH .*")
_LATIN: Final = (range(0xC0, 0x2B0), range(0x1D6C, 0x1DC0), range(0x2C60, 0x2C80), range(0xA720, 0xA800))
_ALPHABETS: Final = (0x1F1E6, 0x1F130, 0x1F150, 0x1F170)
_TOO_LONG: Final = {0xFDFA: " ", 0xFDFB: " "}  # one character of Arabic for whole sentences
_UNSEEN: Final = frozenset({"Mn", "Me", "Cf", "Cc", "Co", "Cs", "Cn"})
_FILLERS: Final = frozenset("\u115f\u1160")  # letters of Korean that are nothing, into which others are opened

# Digits and signs that stand for letters; l, too, so that 1 is either.
_DISGUISES: Final = str.maketrans("0134578@$€!|l", "oieastbaseiii")
_LOOKS_LIKE_LETTERS: Final = re.compile(r"[a-z0-9@$€!|]+")
_LORA: Final = re.compile(r"<(?:lora|lyco|hypernet):[^<>]*>", re.IGNORECASE)

# Scripts that put no space between words: there, each character counts as one, and phrases are found anywhere.
_UNSPACED: Final = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
_MOST_DIGITS: Final = 4  # of numbers that mean something
_WORD: Final = re.compile(rf"\d+|[{_UNSPACED}]|[^\W\d_{_UNSPACED}][^\W_{_UNSPACED}]*")
# What stands inside words to hide them. Commas and colons are not among them: they part the tags of prompts, and the
# letters that a child learns.
_PARTED: Final = re.compile(r"(?<![^\W_])[^\W_]++(?:(?:[^\w\s,;:()\[\]<>|]|_)++[^\W_]++)++")
_RUN: Final = re.compile(r"(?<![^\W_])[^\W_](?:(?:[^\w,;:]|_){1,3}[^\W_](?![^\W_]))++")
_BETWEEN: Final = re.compile(r"(?:[^\w@$€!|]|_)+")
_LONG: Final = re.compile(r"(.)\1{2,}")
_EDGES: Final = "0123456789@$€!|"
_LEAST: Final = 3  # letters of a word that is worth hiding


_ONES: Final = (
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
    " eighteen nineteen"
)
_TENS: Final = "twenty thirty forty fifty sixty seventy eighty ninety"
_COUNTED: Final = {word: number for number, word in enumerate(_ONES.split(), 1)} | {
    word: 10 * ten for ten, word in enumerate(_TENS.split(), 2)
}


class Word(NamedTuple):
    """`at` is its place among the words of the text; `number` what it says. One in digits takes no place of its own."""

    spelled: str
    at: int
    number: int | None = None


def plain(text: str) -> str:
    """In lower case, without accents and what is not seen, letters that look Latin being so."""
    if text.isascii():
        return text.lower()
    open_ = unicodedata.normalize("NFKD", text.translate(_TOO_LONG))
    unseen = {char for char in set(open_) if unicodedata.category(char) in _UNSEEN and not char.isspace()} | _FILLERS
    seen = open_.translate(dict.fromkeys(map(ord, unseen)))
    return unicodedata.normalize("NFC", seen.translate(_lookalikes()).casefold().translate(_lookalikes()))


def readings(prompt: str) -> tuple[str, ...]:
    """The text as it is written, and as it is read by those who take brackets and LoRAs out of it."""
    sections = parse(_LORA.sub("", prompt)).sections
    read = " ".join("".join(piece.text for piece in section) for section in sections)
    return (prompt,) if read == prompt else (prompt, read)


def words(text: str) -> list[Word]:
    """The words of a text that is `plain`, in their order."""
    found: list[Word] = []
    at = 0
    for spelled in _WORD.findall(text):
        if spelled.isdecimal():
            found.append(Word(spelled, at, int(spelled) if len(spelled) <= _MOST_DIGITS else None))
        else:
            found.append(Word(spelled, at, _counted(spelled, found)))
            at += 1
    return found


def _counted(word: str, before: list[Word]) -> int | None:
    """In English, below a hundred: thirty two is 32, and not 2."""
    number = _COUNTED.get(word)
    if number is not None and number < 10 and before and (tens := _COUNTED.get(before[-1].spelled, 0)) >= 20:
        return tens + number
    return number


def folded(word: str) -> str:
    """With i for l, as signs are read that may be either."""
    return word.translate(_DISGUISES)


def undisguised(text: str) -> set[str]:
    """Words that a `plain` text may mean beside those that it has; `folded`, for comparison with such alone."""
    long = _LONG.search(text) is not None
    meant = {folded(_BETWEEN.sub("", parted)) for parted in _PARTED.findall(text)}
    for signs in set(_LOOKS_LIKE_LETTERS.findall(text)):
        if not signs.isalpha():
            meant.update(_of_signs(signs))
        if long and _LONG.search(signs):
            meant.update(folded(_LONG.sub(times, signs)) for times in (r"\1", r"\1\1"))
    return meant


def letter_by_letter(text: str) -> list[str]:
    """What a `plain` text spells one letter at a time, `folded`: words without their ends."""
    runs = (_BETWEEN.sub("", run) for run in _RUN.findall(text))
    return [folded(run) for run in runs if len(run) >= _LEAST and not run.isdecimal()]


def _of_signs(signs: str) -> Iterator[str]:
    """Half of it must be letters or signs: A55 is a telephone. Digits and signs around a word are no part of it."""
    digits = sum(map(str.isdigit, signs))
    if 2 * digits <= len(signs) and any(map(str.isalpha, signs)):
        yield from (folded(word) for word in (signs, signs.strip(_EDGES)) if len(word) >= _LEAST)


@cache
def _lookalikes() -> dict[int, str]:
    derived: dict[str, str] = json.loads(files(darkroom.safety).joinpath("lookalikes.json").read_text("utf-8"))
    table = {
        ord(char): found[1].lower()
        for char in map(chr, (code for codes in _LATIN for code in codes))
        if unicodedata.normalize("NFKD", char) == char and (found := _WITH.fullmatch(unicodedata.name(char, "")))
    }
    for source in (derived, _MORE):
        table.update({ord(char): letter for letter, chars in source.items() for char in chars})
    return table | {first + place: chr(ord("a") + place) for first in _ALPHABETS for place in range(26)}
