"""Looks for the words and phrases of a list in prompts."""

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Final

import darkroom.safety
from darkroom.errors import ConfigurationError
from darkroom.safety.answering import answering, sound
from darkroom.safety.list_file import read_list, single_words
from darkroom.safety.phrases import Phrases, Span
from darkroom.safety.protocol import Scores
from darkroom.safety.rules import Rule
from darkroom.safety.spelling import Word, letter_by_letter, plain, readings, undisguised, words

MINORS: Final = "minors-list"
MOST_BYTES: Final = 16 * 1024**2
_KEY: Final = 3  # letters by which words are looked up inside what is spelled letter by letter


class PromptList:
    """Threads share it: it does not change."""

    def __init__(self, name: str, content: bytes) -> None:
        """Raises: ValueError that says which line is wrong, and how."""
        self.name = name
        self.version = hashlib.sha256(content).hexdigest()
        found = read_list(content.decode("utf-8"))
        self._phrases = Phrases(found.phrases)
        self._allowed = Phrases(found.allowed)
        self._whole = single_words(found, begins=False)
        self._beginnings = single_words(found, begins=True)
        self._lengths = sorted({len(word) for word in self._beginnings})
        self._spelled_out = dict(self._whole)
        for word, numbers in self._beginnings.items():
            self._spelled_out[word] = numbers | self._whole.get(word, frozenset())
        self._lengths_by_key: dict[str, set[int]] = defaultdict(set)
        for word in self._spelled_out:
            self._lengths_by_key[word[:_KEY]].add(len(word))
        self._nothing = dict.fromkeys((rule.category for rule in found.rules), 0.0)
        self._rules_of: dict[int, list[Rule]] = defaultdict(list)
        for rule in found.rules:
            for number in rule.groups[0]:
                self._rules_of[number].append(rule)

    def scores(self, text: str) -> Scores:
        """0 for a category of the list of which nothing stands in the prompt. Raises: SafetyUnavailable."""
        with answering(self.name):
            read = [plain(reading) for reading in readings(text)]
            anywhere = frozenset(number for reading in read for number in self._disguised(reading))
            scores = dict(self._nothing)
            for reading in read:
                for rule in self._held(words(reading), anywhere):
                    scores[rule.category] = max(scores[rule.category], rule.score)
            return sound(scores)

    def _held(self, found: Sequence[Word], anywhere: frozenset[int]) -> Iterator[Rule]:
        spans = self._phrases.spans(self._counting(found))
        begun = {id(rule): rule for number in {*spans, *anywhere} for rule in self._rules_of.get(number, ())}
        yield from (rule for rule in begun.values() if rule.holds(spans, anywhere))  # each once

    def _counting(self, found: Sequence[Word]) -> Sequence[Word]:
        """All words but those that are allowed where they stand."""
        allowed = self._places(self._allowed.spans(found))
        return [word for word in found if word.at not in allowed] if allowed else found

    @staticmethod
    def _places(spans: Mapping[int, Sequence[Span]]) -> set[int]:
        return {at for found in spans.values() for span in found for at in range(span.first, span.last + 1)}

    def _disguised(self, reading: str) -> Iterator[int]:
        for word in undisguised(reading):
            yield from self._whole.get(word, ())
            for length in self._lengths:
                yield from self._beginnings.get(word[:length], ())
        for run in letter_by_letter(reading):
            for start in range(len(run) - _KEY + 1):
                for length in self._lengths_by_key.get(run[start : start + _KEY], ()):
                    yield from self._spelled_out.get(run[start : start + length], ())


def open_list(path: Path) -> PromptList:
    """Raises: ConfigurationError naming the file and the line."""
    where = f"DARKROOM_SAFETY_PROMPT_LISTS: {path.name}"
    try:
        with path.expanduser().open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise ConfigurationError(f"{where} cannot be read: {error.strerror}") from error
    if len(content) > MOST_BYTES:
        raise ConfigurationError(f"{where} is larger than {MOST_BYTES} bytes")
    try:
        return PromptList(path.stem, content)
    except UnicodeDecodeError:
        raise ConfigurationError(f"{where} is not UTF-8") from None
    except ValueError as error:
        raise ConfigurationError(f"{where}: {error}") from None


def minors_list() -> PromptList:
    """The one that ships: words of sex beside words of children."""
    return PromptList(MINORS, files(darkroom.safety).joinpath("lists", "minors.txt").read_bytes())
