"""Words -> Conditioning."""

from collections import OrderedDict
from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

import torch
from torch import Tensor

from darkroom.contract.plan import PlannedEmbedding
from darkroom.prompt import parse
from worker.models.clip import ClipEncoder
from worker.models.conditioning import Conditioning
from worker.models.embeddings import Shelf, no_embeddings

REMEMBERED_PROMPTS = 256


class TextEncoding(Protocol):
    def encode(self, text: str, clip_skip: int = 0, embeddings: tuple[PlannedEmbedding, ...] = ()) -> Conditioning:
        """Conditioning of `text`, the same bits whatever else is being encoded.

        `clip_skip` is how many of the encoder's last layers are left out: that of diffusers, with 0 for its None, and
        one less than A1111's. The `embeddings` take the place of their names in the text.

        Raises: MissingWeights, BrokenWeights for an embedding that is not there as it was planned.
        """
        ...


class ClipText:
    """What one or two CLIP encoders make of a text, side by side: chunks that fill the window each, encoded by
    themselves and set one after the other.

    A plain text that fits the window becomes what `encode_prompt` of diffusers' pipeline makes of it. The pooled text
    is that of the first chunk, by the last encoder, as in Forge.
    """

    def __init__(self, encoders: Sequence[ClipEncoder], shelf: Shelf = no_embeddings) -> None:
        self.encoders = tuple(encoders)
        self._shelf = shelf

    @torch.inference_mode()
    def encode(self, text: str, clip_skip: int = 0, embeddings: tuple[PlannedEmbedding, ...] = ()) -> Conditioning:
        prompt, vectors = parse(text), self._vectors(embeddings)
        chunked = [encoder.chunks(prompt, known) for encoder, known in zip(self.encoders, vectors, strict=True)]
        most = max(len(chunks) for chunks, _ in chunked)
        found = []
        for encoder, known, (chunks, _) in zip(self.encoders, vectors, chunked, strict=True):
            # Should tokenizers disagree, the one with fewer chunks has nothing more to say.
            filled = [*chunks, *[[]] * (most - len(chunks))]
            found.append([encoder.encode(chunk, clip_skip, known) for chunk in filled])
        context_1TC = torch.cat([torch.cat([chunk.states_1TC for chunk in each], dim=1) for each in found], dim=2)
        dropped = max(dropped for _, dropped in chunked)
        return Conditioning(context_1TC, pooled_1P=found[-1][0].pooled_1P, dropped_tokens=dropped)

    def _vectors(self, embeddings: tuple[PlannedEmbedding, ...]) -> list[dict[str, Tensor]]:
        """N C by name, for each encoder. A refiner, whose encoder is the second of two, takes the second's."""
        shelved = {embedding.name: self._shelf(embedding)[-len(self.encoders) :] for embedding in embeddings}
        return [{name: each[place] for name, each in shelved.items()} for place in range(len(self.encoders))]


class RememberedText:
    """Another encoding behind a memory of its latest answers. For one thread."""

    def __init__(self, encoding: TextEncoding, size: int = REMEMBERED_PROMPTS) -> None:
        self._encoding = encoding
        self._size = size
        self._under: Hashable = None
        self._known: OrderedDict[Hashable, Conditioning] = OrderedDict()

    def encode(self, text: str, clip_skip: int = 0, embeddings: tuple[PlannedEmbedding, ...] = ()) -> Conditioning:
        key = self._under, text, clip_skip, embeddings
        if key not in self._known:
            self._known[key] = self._encoding.encode(text, clip_skip, embeddings)
        self._known.move_to_end(key)
        while len(self._known) > self._size:
            self._known.popitem(last=False)
        return self._known[key]

    @contextmanager
    def apart(self, circumstances: Hashable) -> Iterator[None]:
        """While this is open, only answers given under the same `circumstances` are remembered."""
        self._under = circumstances
        try:
            yield
        finally:
            self._under = None
