"""Image classifiers of transformers: which of their labels count, and as what."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from darkroom.errors import ConfigurationError
from darkroom.safety.answering import answering, picture, sound
from darkroom.safety.protocol import Pixels, Scores
from worker.preprocessors.transformers_folder import Reader
from worker.safety.squares import squares

# Of the classifiers that are much used, in lower case.
COUNTED: Final = {
    "nsfw": "sexual", "porn": "sexual", "pornography": "sexual", "hentai": "sexual", "explicit": "sexual",
    "nude": "sexual",
    "gore": "violence", "violence": "violence", "violent": "violence",
}  # fmt: skip
HARMLESS: Final = frozenset({"sfw", "safe", "normal", "neutral", "drawing", "drawings", "sexy", "non-violent"})


def categories_of(labels: list[str], given: Mapping[str, str]) -> list[str | None]:
    """The category of each label, None for one that counts as nothing.

    Where nobody says which count, all must be known: to count too little of a network goes unnoticed.
    Raises: ConfigurationError.
    """
    said = {label.lower(): category for label, category in given.items()}
    lower = [label.lower() for label in labels]
    if unknown := sorted(set(said) - set(lower)):
        raise ConfigurationError(f"it has no label {unknown[0]!r}, but {', '.join(labels)[:200]}")
    if not said and (odd := sorted(set(lower) - set(COUNTED) - HARMLESS)):
        raise ConfigurationError(f"its label {odd[0]!r} is not known here: say in `labels` which count, and as what")
    found = [(said or COUNTED).get(label) for label in lower]
    if not any(found):
        raise ConfigurationError(f"none of its labels counts as anything: {', '.join(labels)[:200]}")
    return found


class LabelChecker:
    """`reader` is a network for image classification, and what prepares pictures for it. Threads share both."""

    def __init__(self, name: str, version: str, reader: Reader, labels: Mapping[str, str]) -> None:
        """Raises: ConfigurationError for labels that do not fit the network."""
        self.name = name
        self.version = version
        self._reader = reader
        config = reader.network.config
        self._categories = categories_of([str(config.id2label[number]) for number in sorted(config.id2label)], labels)
        self._exclusive = getattr(config, "problem_type", None) != "multi_label_classification"
        self._crops = _crops(reader.processor)

    def scores(self, rgb_HWC: Pixels) -> Scores:
        """Of the worst square, where the network would look at the middle alone. Raises: SafetyUnavailable."""
        with answering(self.name):
            whole = picture(rgb_HWC)
            told = [self._told(part) for part in (squares(whole) if self._crops else [whole])]
            names = {category for category in self._categories if category}
            return sound({name: max(scores[name] for scores in told) for name in names})

    def _told(self, rgb_HWC: Pixels) -> dict[str, float]:
        """Raises: ValueError for a network that tells not one number a label."""
        output, _ = self._reader.read(rgb_HWC)
        likely = likelihoods(output.logits.float().cpu().numpy(), exclusive=self._exclusive)
        if likely.shape != (len(self._categories),) or not np.isfinite(likely).all():
            raise ValueError("the network tells not one number a label")
        told: dict[str, float] = {}
        for category, share in zip(self._categories, likely.tolist(), strict=True):
            if category:
                before = told.get(category, 0.0)
                told[category] = min(before + share, 1.0) if self._exclusive else max(before, share)
        return told


def likelihoods(logits_1N: NDArray[np.float32], *, exclusive: bool) -> NDArray[np.float64]:
    """Of labels of which one holds, whose likelihoods add up to 1; or of labels that each hold or not."""
    logits_N = torch.from_numpy(logits_1N.astype(np.float64))[0]
    return np.asarray(torch.softmax(logits_N, 0) if exclusive else torch.sigmoid(logits_N), np.float64)


def _crops(processor: Any) -> bool:
    """Whether it looks at the middle of a picture alone."""
    size = getattr(processor, "size", None) or {}
    return bool(getattr(processor, "do_center_crop", False)) or "shortest_edge" in size
