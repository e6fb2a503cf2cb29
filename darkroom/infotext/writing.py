"""The parameters of a picture as A1111 writes them: `create_infotext` of modules/processing.py.

a cat <lora:neon:0.8>
Negative prompt: blurry
Steps: 20, Sampler: Euler a, Schedule type: Automatic, CFG scale: 7, Seed: 1, Size: 512x512, Model: tiny
"""

import json
from collections.abc import Iterable, Iterator
from itertools import chain

import darkroom
from darkroom.contract.controlnet import PlannedControl
from darkroom.contract.plan import GenerationPlan
from darkroom.contract.stage import Hires, LaterStage, Refiner
from darkroom.contract.start import FromMask, FromNoise, Start
from darkroom.contract.vae import NamedVae
from darkroom.infotext.hashes import CHECKPOINT_HASH, CONTROLNET_HASH, LORA_HASH, weights_sha256
from darkroom.infotext.samplers import names_of

NEGATIVE = "Negative prompt: "

UPSCALERS = {"latent": "Latent", "lanczos": "Lanczos"}

Pair = tuple[str, object]


def infotext(plan: GenerationPlan, index: int) -> str:
    """Of image `index` of a plan."""
    lines = [prompt_of(plan)]
    if plan.negative_prompt:
        lines.append(f"{NEGATIVE}{plan.negative_prompt}")
    lines.append(", ".join(f"{name}: {quoted(_plain(value))}" for name, value in _pairs(plan, index)))
    return "\n".join(lines)


def prompt_of(plan: GenerationPlan) -> str:
    """With the LoRAs in it, by which A1111 says them."""
    syntax = "".join(f"<lora:{lora.model}:{_plain(lora.weight)}>" for lora in plan.loras)
    space = " " if syntax and plan.prompt and not plan.prompt[-1].isspace() else ""
    return f"{plan.prompt}{space}{syntax}"


def quoted(text: str) -> str:
    """As it stands, unless it has a sign of the syntax in it."""
    return json.dumps(text, ensure_ascii=False) if any(sign in text for sign in ',\n:"') else text


def _plain(value: object) -> str:
    """Whole numbers without a point, as people write them."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _pairs(plan: GenerationPlan, index: int) -> Iterable[Pair]:
    sampler, spacing = names_of(plan.scheduler)
    first: list[Pair] = [
        ("Steps", plan.steps),
        ("Sampler", sampler),
        ("Schedule type", spacing),
        ("CFG scale", plan.guidance_scale),
        ("Seed", plan.seeds[index]),
        ("Size", f"{plan.width}x{plan.height}"),
        ("Model hash", weights_sha256(plan.weights)[:CHECKPOINT_HASH]),
        ("Model", plan.model),
    ]
    return chain(first, _of_parts(plan), _begun(plan.start), *map(_staged, plan.later_stages), _steered(plan), _added())


def _of_parts(plan: GenerationPlan) -> Iterator[Pair]:
    if isinstance(plan.vae, NamedVae):
        yield "VAE hash", plan.vae.sha256[:CHECKPOINT_HASH]
        yield "VAE", plan.vae.name
    if plan.clip_skip:
        yield "Clip skip", plan.clip_skip + clip_offset(plan)
    if plan.loras:
        yield "Lora hashes", ", ".join(f"{lora.model}: {lora.sha256[:LORA_HASH]}" for lora in plan.loras)
    if plan.embeddings:
        yield "TI hashes", ", ".join(f"{used.name}: {used.sha256[:LORA_HASH]}" for used in plan.embeddings)


def clip_offset(plan: GenerationPlan) -> int:
    """A1111 counts from the last layer as 1; models with two text encoders, XL, leave the last out by themselves."""
    return 2 if any(path.startswith("text_encoder_2") for path in plan.weights) else 1


def _begun(start: Start) -> Iterator[Pair]:
    if isinstance(start, FromNoise):
        return
    yield "Denoising strength", start.strength
    if isinstance(start, FromMask):
        yield "Mask blur", start.feather
        yield "Masked content", start.masked_content.replace("_", " ")
        if (start.seen.width, start.seen.height) != (start.image.width, start.image.height):
            yield "Inpaint area", "Only masked"


def _staged(stage: LaterStage) -> Iterator[Pair]:
    match stage:
        case Hires():
            yield "Denoising strength", stage.strength
            yield "Hires resize", f"{stage.width}x{stage.height}"
            yield "Hires steps", stage.steps
            yield "Hires upscaler", UPSCALERS[stage.upscaler]
        case Refiner():
            yield "Refiner", f"{stage.model} [{weights_sha256(stage.weights)[:CHECKPOINT_HASH]}]"
            yield "Refiner switch at", stage.switch_at


def _steered(plan: GenerationPlan) -> Iterator[Pair]:
    for index, control in enumerate(plan.controls):
        yield f"ControlNet {index}", ", ".join(f"{name}: {_plain(value)}" for name, value in _unit(control))


def _unit(control: PlannedControl) -> Iterator[Pair]:
    yield "Module", control.type if control.preprocess else "none"
    yield "Model", f"{control.net.name} [{control.net.sha256[:CONTROLNET_HASH]}]"
    yield "Weight", control.scale
    yield "Resize Mode", "Just Resize"
    yield "Guidance Start", control.start
    yield "Guidance End", control.end
    yield "Control Mode", "Balanced"


def _added() -> Iterator[Pair]:
    yield "Version", f"darkroom {darkroom.__version__}"
