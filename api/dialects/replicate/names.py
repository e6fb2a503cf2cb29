"""What the Stable Diffusion models on Replicate call things: those of stability-ai, and the cogs made after them."""

from collections.abc import Mapping
from typing import Final

from darkroom.contract.generation import ImageToImage, Inpaint, Outpaint, TextToImage
from darkroom.contract.webhook import ENDS, WebhookEvent

# Ours, which may be said as they are. Whom to tell stands outside of the input.
OURS: Final = {field for task in (TextToImage, ImageToImage, Inpaint, Outpaint) for field in task.model_fields} - {
    *("task", "model", "webhook_url", "webhook_events"),
}

RENAMED: Final[Mapping[str, str]] = {
    "num_outputs": "n",
    "num_inference_steps": "steps",
    "prompt_strength": "strength",
    "init_image": "image",
    "output_quality": "output_compression",
}

# Lower case: cogs differ in it.
SCHEDULERS: Final[Mapping[str, str]] = {
    "k_euler": "euler",
    "k_euler_ancestral": "euler_a",
    "k_lms": "lms",
    "klms": "lms",
    "dpmsolver++": "dpmpp_2m",
    "karrasdpm": "dpmpp_2m_karras",
    "dpm++2m": "dpmpp_2m",
    "dpm++2mkarras": "dpmpp_2m_karras",
    "dpm++2msde": "dpmpp_2m_sde",
    "plms": "pndm",
}

# Fields without effect here, with the values by which they say nothing, and why.
ALWAYS_MARKED: Final = "every picture is marked and signed"
ELSEWHERE: Final = "weights from elsewhere are not loaded: name one of the LoRAs served here"
CHECKED: Final = "what is looked at is for the operator to say"
IDLE: Final[Mapping[str, tuple[tuple[object, ...], str]]] = {
    "apply_watermark": ((True,), ALWAYS_MARKED),
    "disable_safety_checker": ((False,), CHECKED),
    "aspect_ratio": (("1:1", "custom"), "width and height say it"),
    "go_fast": ((True, False), ""),
    "replicate_weights": ((), ELSEWHERE),
    "lora_weights": ((), ELSEWHERE),
    "high_noise_frac": ((0.8,), "without a refiner"),
    "refine_steps": ((), "the refiner has the steps that the base leaves"),
    "lora_scale": ((0.6, 1, 0.8), "no LoRA is named"),
}

EVENTS: Final[Mapping[str, tuple[WebhookEvent, ...]]] = {
    "start": ("generation.running",),
    "logs": ("generation.progress",),
    "output": ("generation.succeeded",),
    "completed": ENDS,
}
