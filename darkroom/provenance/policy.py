"""What an operator lets credentials say beyond the facts: who made a picture, and how much of its prompt."""

import hmac
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from darkroom.contract.plan import GenerationPlan, Task
from darkroom.provenance.label import Label

PromptPolicy = Literal["omit", "hmac", "plain"]

_SOURCE_TYPES: Final = "http://cv.iptc.org/newscodes/digitalsourcetype/"


@dataclass(frozen=True)
class Policy:
    """`producer` is the name that China's label gives. `key` is for `hmac`: see `prompt_key`. `label` is drawn into all
    pictures whose plan names no other, whoever planned them; `font` is that of labels."""

    producer: str = "darkroom"
    prompts: PromptPolicy = "omit"
    key: bytes = field(default=b"", repr=False)
    label: str = ""
    font: Path | None = None

    def label_on(self, plan: GenerationPlan) -> Label | None:
        """What is to be drawn into a picture of this plan."""
        text = plan.visible_label or self.label
        return Label(text, self.font) if text else None

    def words(self, plan: GenerationPlan) -> dict[str, str]:
        """What the manifest says of the plan's words."""
        if self.prompts == "plain":
            return {"prompt": plan.prompt, "negative_prompt": plan.negative_prompt}
        if self.prompts == "hmac":
            return {
                "prompt_hmac_sha256": prompt_digest(self.key, plan.prompt),
                "negative_prompt_hmac_sha256": prompt_digest(self.key, plan.negative_prompt),
            }
        return {}


OMIT: Final = Policy()


def prompt_key(secret: bytes) -> bytes:
    """32 bytes from the watermark's secret (HKDF, RFC 5869): to know it is not to be able to mark."""
    return HKDF(SHA256(), 32, salt=None, info=b"darkroom/prompts").derive(secret)


def prompt_digest(key: bytes, text: str) -> str:
    """HMAC-SHA256 of the words, hex. Without a key, prompts are few enough to be guessed from their hash."""
    return hmac.digest(key, text.encode(), "sha256").hex()


def source_type(task: Task) -> str:
    """IPTC's term: created using generative AI, or edited using it, which every task that begins with a picture is."""
    return _SOURCE_TYPES + (
        "trainedAlgorithmicMedia" if task == "text_to_image" else "compositeWithTrainedAlgorithmicMedia"
    )
