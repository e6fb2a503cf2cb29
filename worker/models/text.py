"""Words -> Conditioning, one class a family."""

from collections import OrderedDict
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import torch

from worker.models.conditioning import Conditioning

REMEMBERED_PROMPTS = 256


class TextEncoding(Protocol):
    def encode(self, text: str) -> Conditioning:
        """Conditioning of `text`, the same bits whatever else is being encoded."""
        ...


class ClipText:
    """One CLIP encoder, its last hidden state after the final norm: Stable Diffusion 1 and 2.

    After `StableDiffusionPipeline.encode_prompt` of diffusers. Texts are encoded one at a time, so that an embedding
    does not depend on its neighbours in a batch.
    """

    def __init__(self, tokenizer: Any, text_encoder: Any) -> None:
        self._tokenizer = tokenizer
        self._text_encoder = text_encoder
        self._masked = bool(getattr(text_encoder.config, "use_attention_mask", False))

    @torch.inference_mode()
    def encode(self, text: str) -> Conditioning:
        tokens = self._tokenizer(
            text,
            padding="max_length",
            max_length=self._tokenizer.model_max_length,
            truncation=True,
            return_tensors="pt",
        )
        device = self._text_encoder.device
        mask = tokens.attention_mask.to(device) if self._masked else None
        context_1TC = self._text_encoder(tokens.input_ids.to(device), attention_mask=mask)[0]
        return Conditioning(context_1TC, dropped_tokens=self._dropped_tokens(text))

    def _dropped_tokens(self, text: str) -> int:
        # verbose=False: a text beyond the window is what we count, nothing to warn about.
        length = len(self._tokenizer(text, verbose=False).input_ids)
        return max(0, length - int(self._tokenizer.model_max_length))


class RememberedText:
    """Another encoding behind a memory of its latest answers. For one thread."""

    def __init__(self, encoding: TextEncoding, size: int = REMEMBERED_PROMPTS) -> None:
        self._encoding = encoding
        self._size = size
        self._under: Hashable = None
        self._known: OrderedDict[tuple[Hashable, str], Conditioning] = OrderedDict()

    def encode(self, text: str) -> Conditioning:
        key = self._under, text
        if key not in self._known:
            self._known[key] = self._encoding.encode(text)
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
