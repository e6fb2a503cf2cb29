"""Words -> Conditioning, one class a family."""

from collections import OrderedDict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import torch
from torch import Tensor

from darkroom.contract.plan import PlannedEmbedding
from darkroom.prompt import MOST_WEIGHT, Piece, parse
from worker.models.chunks import Named, Unit, Vector, Weighted, chunked, units
from worker.models.conditioning import Conditioning
from worker.models.embeddings import Shelf, in_place_of, no_embeddings

REMEMBERED_PROMPTS = 256
COMMA = ",</w>"
# Any token will do where a vector takes its place; A1111 has this one.
PLACEHOLDER = 0


class TextEncoding(Protocol):
    def encode(self, text: str, clip_skip: int = 0, embeddings: tuple[PlannedEmbedding, ...] = ()) -> Conditioning:
        """Conditioning of `text`, the same bits whatever else is being encoded.

        `clip_skip` is how many of the encoder's last layers are left out: that of diffusers, with 0 for its None, and
        one less than A1111's. The `embeddings` take the place of their names in the text.

        Raises: MissingWeights, BrokenWeights for an embedding that is not there as it was planned.
        """
        ...


class ClipText:
    """One CLIP encoder, its hidden state after the final norm: Stable Diffusion 1 and 2.

    A plain text that fits the window becomes what `StableDiffusionPipeline.encode_prompt` of diffusers makes of it.
    Otherwise after the classic engine of Forge: chunks that fill the window each, encoded by themselves and set one
    after the other, and emphasis by weights on the hidden state. One chunk is encoded at a time, so that an embedding
    does not depend on its neighbours in a batch.
    """

    def __init__(self, tokenizer: Any, text_encoder: Any, shelf: Shelf = no_embeddings) -> None:
        self._shelf = shelf
        self._tokenizer = tokenizer
        self._text_encoder = text_encoder
        self._window = int(tokenizer.model_max_length)
        comma = tokenizer.convert_tokens_to_ids(COMMA)
        self._comma = None if comma == tokenizer.unk_token_id else comma
        self._masked = bool(getattr(text_encoder.config, "use_attention_mask", False))

    @torch.inference_mode()
    def encode(self, text: str, clip_skip: int = 0, embeddings: tuple[PlannedEmbedding, ...] = ()) -> Conditioning:
        vectors = {embedding.name: self._shelf(embedding)[0] for embedding in embeddings}
        named = self._named(vectors)
        sections = [self._units(section, named) for section in parse(text).sections]
        chunks, dropped = chunked(sections, self._window - 2, self._comma)
        context_1TC = torch.cat([self._encode_chunk(chunk, clip_skip, vectors) for chunk in chunks], dim=1)
        return Conditioning(context_1TC, dropped_tokens=dropped)

    def _named(self, vectors: Mapping[str, Tensor]) -> list[Named]:
        """The longest names first, by their tokens."""
        named = [
            Named(tuple(self._tokenizer(name, add_special_tokens=False).input_ids), name, len(vectors_NC))
            for name, vectors_NC in vectors.items()
        ]
        return sorted(named, key=lambda each: -len(each.tokens))

    def _units(self, pieces: Sequence[Piece], named: Sequence[Named]) -> list[Unit]:
        if not pieces:
            return []
        # verbose=False: a text beyond the window is nothing to warn about.
        texts = [piece.text for piece in pieces]
        tokens = self._tokenizer(texts, add_special_tokens=False, truncation=False, verbose=False).input_ids
        weights = [piece.weight for piece in pieces]
        rows = zip(tokens, weights, strict=True)
        return [unit for row, weight in rows for unit in units(row, weight, named)]

    def _encode_chunk(self, chunk: Sequence[Weighted], clip_skip: int, vectors: Mapping[str, Tensor]) -> Tensor:
        begin, end, pad = (getattr(self._tokenizer, f"{name}_token_id") for name in ("bos", "eos", "pad"))
        padding = self._window - 2 - len(chunk)
        tokens = [weighted.token for weighted in chunk]
        ids = [begin, *(PLACEHOLDER if isinstance(token, Vector) else token for token in tokens), end, *[pad] * padding]
        places = {
            position: vectors[token.name][token.row]
            for position, token in enumerate(tokens, start=1)
            if isinstance(token, Vector)
        }
        device = self._text_encoder.device
        ids_1T = torch.tensor([ids], device=device)
        mask_1T = torch.tensor([[1] * (len(chunk) + 2) + [0] * padding], device=device) if self._masked else None
        with in_place_of(places, self._text_encoder):
            hidden_1TC = self._hidden(ids_1T, mask_1T, clip_skip)
        return emphasized(hidden_1TC, [1.0, *(weighted.weight for weighted in chunk), *[1.0] * (padding + 1)])

    def _hidden(self, ids_1T: Tensor, mask_1T: Tensor | None, clip_skip: int) -> Tensor:
        if not clip_skip:
            last_1TC: Tensor = self._text_encoder(ids_1T, attention_mask=mask_1T)[0]
            return last_1TC
        states = self._text_encoder(ids_1T, attention_mask=mask_1T, output_hidden_states=True).hidden_states
        inner = getattr(self._text_encoder, "text_model", self._text_encoder)
        normed_1TC: Tensor = inner.final_layer_norm(states[-(clip_skip + 1)])
        return normed_1TC


def emphasized(hidden_1TC: Tensor, weights_T: Sequence[float]) -> Tensor:
    """Tokens times their weights, with the mean brought back to what it was: `EmphasisOriginal` of Forge.

    Weights may turn the mean to nothing; then there is none to bring back.
    """
    if all(weight == 1 for weight in weights_T):
        return hidden_1TC
    weighted_1TC = hidden_1TC * torch.tensor(weights_T, dtype=hidden_1TC.dtype, device=hidden_1TC.device)[None, :, None]
    before, after = float(hidden_1TC.float().mean()), float(weighted_1TC.float().mean())
    if not abs(before) <= MOST_WEIGHT * abs(after):
        return weighted_1TC
    return weighted_1TC * (before / after)


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
