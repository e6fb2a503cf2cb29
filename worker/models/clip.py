"""One CLIP text encoder and its tokenizer: words -> chunks -> hidden states.

After `encode_prompt` of diffusers' pipelines, and the classic engine of Forge for chunks and emphasis.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from darkroom.prompt import MOST_WEIGHT, Piece, Prompt
from worker.models.chunks import Named, Unit, Vector, Weighted, chunked, units
from worker.models.embeddings import in_place_of

COMMA = ",</w>"
# Any token will do where a vector takes its place; A1111 has this one.
PLACEHOLDER = 0


class Hidden(NamedTuple):
    """What an encoder makes of one chunk. `pooled_1P` is of the whole of it, where the encoder has a projection."""

    states_1TC: Tensor
    pooled_1P: Tensor | None = None


# (text encoder, token ids 1 T, attention mask 1 T or None, layers left out)
Reading = Callable[[Any, Tensor, Tensor | None, int], Hidden]


def normed(encoder: Any, ids_1T: Tensor, mask_1T: Tensor | None, clip_skip: int) -> Hidden:
    """The last hidden state that is not left out, after the final norm: Stable Diffusion 1 and 2."""
    if not clip_skip:
        return Hidden(encoder(ids_1T, attention_mask=mask_1T)[0])
    states = encoder(ids_1T, attention_mask=mask_1T, output_hidden_states=True).hidden_states
    inner = getattr(encoder, "text_model", encoder)
    return Hidden(inner.final_layer_norm(states[-(clip_skip + 1)]))


def penultimate(encoder: Any, ids_1T: Tensor, mask_1T: Tensor | None, clip_skip: int) -> Hidden:
    """The hidden state before the last, as it is: Stable Diffusion XL, which takes no mask."""
    encoded = encoder(ids_1T, output_hidden_states=True)
    return Hidden(encoded.hidden_states[-(clip_skip + 2)], getattr(encoded, "text_embeds", None))


class ClipEncoder:
    """Encodes one chunk at a time, so that a context does not depend on its neighbours in a batch."""

    def __init__(self, tokenizer: Any, network: Any, reading: Reading = normed) -> None:
        self.network = network
        self._tokenizer = tokenizer
        self._reading = reading
        self._window = int(tokenizer.model_max_length)
        comma = tokenizer.convert_tokens_to_ids(COMMA)
        self._comma = None if comma == tokenizer.unk_token_id else comma
        self._masked = bool(getattr(network.config, "use_attention_mask", False))

    def chunks(self, prompt: Prompt, vectors: Mapping[str, Tensor]) -> tuple[list[list[Weighted]], int]:
        """(chunks of weighted tokens, how many tokens there was no room for). `vectors` are N C, by name."""
        named = self._named(vectors)
        return chunked([self._units(section, named) for section in prompt.sections], self._window - 2, self._comma)

    def encode(self, chunk: Sequence[Weighted], clip_skip: int, vectors: Mapping[str, Tensor]) -> Hidden:
        """Of one chunk, its tokens between start and end and then padded."""
        begin, end, pad = (getattr(self._tokenizer, f"{name}_token_id") for name in ("bos", "eos", "pad"))
        padding = self._window - 2 - len(chunk)
        tokens = [weighted.token for weighted in chunk]
        ids = [begin, *(PLACEHOLDER if isinstance(token, Vector) else token for token in tokens), end, *[pad] * padding]
        places = {
            position: vectors[token.name][token.row]
            for position, token in enumerate(tokens, start=1)
            if isinstance(token, Vector)
        }
        device = self.network.device
        ids_1T = torch.tensor([ids], device=device)
        mask_1T = torch.tensor([[1] * (len(chunk) + 2) + [0] * padding], device=device) if self._masked else None
        with in_place_of(places, self.network):
            states_1TC, pooled_1P = self._reading(self.network, ids_1T, mask_1T, clip_skip)
        weights = [1.0, *(weighted.weight for weighted in chunk), *[1.0] * (padding + 1)]
        return Hidden(emphasized(states_1TC, weights), pooled_1P)

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
