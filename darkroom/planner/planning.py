"""Request -> plan: every default, seed, size and name decided once. Pure: the clock and the dice are handed in."""

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from darkroom.catalog import SCHEDULERS, Catalog
from darkroom.catalog.schedulers import most_steps
from darkroom.contract.generation import MAX_SEED, GenerationRequest
from darkroom.contract.inputs import Inputs, NoPicture
from darkroom.contract.model import ModelSpec
from darkroom.contract.plan import GenerationPlan, Notice, PlannedEmbedding, PlannedLora
from darkroom.contract.start import computed_steps
from darkroom.contract.vae import NamedVae, OwnVae, PlannedVae
from darkroom.contract.webhook import ENDS
from darkroom.errors import InvalidField, LoraMisfit, UnknownScheduler, VaeMisfit
from darkroom.errors.near import unknown
from darkroom.infotext.places import fits_jpeg
from darkroom.infotext.writing import infotext
from darkroom.planner.controls import controls
from darkroom.planner.course import Course, runs
from darkroom.planner.labels import Labels, label, label_notices
from darkroom.planner.stages import later_stages, stage_notices
from darkroom.planner.starts import beginning
from darkroom.prompt import MOST_WEIGHT, parse

T = TypeVar("T")

Named = dict[str, tuple[str, ...]]  # field of the request -> embeddings that it names

DEFAULT_COMPRESSION = 90
WORDS_ONLY = NoPicture()
NO_LABELS = Labels()


def random_seed() -> int:
    """A seed nobody asked for, uniform over all of them."""
    return secrets.randbelow(MAX_SEED + 1)


def plan(
    request: GenerationRequest,
    catalog: Catalog,
    inputs: Inputs = WORDS_ONLY,
    *,
    now: float,
    labels: Labels = NO_LABELS,
    previews: bool = True,
    seed_source: Callable[[], int] = random_seed,
) -> GenerationPlan:
    """Settle `request` and its pictures against the models and labels there are. `now` is Unix seconds.

    `previews`: whether this service makes any.

    Raises: UnknownModel, UnknownLora, LoraMisfit, UnknownVae, VaeMisfit, UnknownControlnet, ControlnetMisfit,
        PreprocessorUnavailable, UnknownScheduler, InvalidField; ModelError for a model, LoRA, VAE or ControlNet that
        is configured but broken.
    """
    spec = catalog.spec(request.model or catalog.default)
    scheduler = _scheduler(request.scheduler or spec.default_scheduler)
    steps = _steps(request, spec, scheduler)
    begins = beginning(request, inputs, spec, steps)
    width, height = begins.size
    course = Course(scheduler, steps, computed_steps(begins.start, steps), begins.size)
    stages = later_stages(request, course, spec, catalog)
    made = runs(course, stages, spec, catalog)
    guidance_scale = _or(request.guidance_scale, spec.default_guidance_scale)
    rows = 1.0 if guidance_scale > 1 else 0.5  # without guidance a pass computes one row, not two
    seed = seed_source() if request.seed is None else request.seed
    named = _named(request, catalog)
    steering = controls(request, inputs.controls, spec, catalog, begins, made)
    settled = GenerationPlan(
        task=request.task,
        model=spec.name,
        weights=spec.weights,
        prompt=request.prompt,
        negative_prompt=request.negative_prompt,
        clip_skip=_clip_skip(request.clip_skip, spec),
        width=width,
        height=height,
        steps=steps,
        guidance_scale=guidance_scale,
        scheduler=scheduler,
        seeds=tuple((seed + index) % (MAX_SEED + 1) for index in range(request.n)),
        loras=tuple(_loras(request, spec, catalog)),
        embeddings=tuple(_embeddings(named, spec, catalog)),
        output_format=request.output_format,
        output_compression=_or(request.output_compression, DEFAULT_COMPRESSION),
        deterministic=request.deterministic,
        priority=request.priority,
        deadline_at=None if request.deadline is None else now + request.deadline,
        predicted_seconds=request.n * rows * (sum(run.seconds for run in made) + steering.seconds),
        warnings=(
            *begins.notices,
            *stage_notices(request, begins.size, stages),
            *steering.notices,
            *_notices(request, guidance_scale, seed),
            *_embedding_notices(named, spec, catalog),
            *label_notices(request, labels),
            *_webhook_notices(request),
            *_preview_notices(request, previews),
        ),
        metadata=request.metadata,
        start=begins.start,
        vae=_vae(request.vae, spec, catalog),
        later_stages=tuple(stages),
        visible_label=label(request, labels),
        controls=steering.planned,
        infotext=request.infotext,
        previews=request.previews and previews,
    )
    return _with_room_for_words(settled)


def _with_room_for_words(settled: GenerationPlan) -> GenerationPlan:
    """A JPEG holds only so many, and is not to fail for them."""
    if settled.output_format != "jpeg" or not settled.infotext or fits_jpeg(infotext(settled, 0)):
        return settled
    notice = Notice(field="infotext", reason="was left out: the prompts are too long for the metadata of a jpeg")
    return settled.model_copy(update={"infotext": False, "warnings": (*settled.warnings, notice)})


def _or(given: T | None, default: T) -> T:
    return default if given is None else given


def _scheduler(name: str) -> str:
    if name not in SCHEDULERS:
        raise UnknownScheduler("scheduler", unknown("scheduler", name, list(SCHEDULERS)))
    return name


def _clip_skip(asked: int, spec: ModelSpec) -> int:
    if asked > spec.max_clip_skip:
        raise InvalidField("clip_skip", f"must be from 0 to {spec.max_clip_skip} for {spec.name}")
    return asked


def _steps(request: GenerationRequest, spec: ModelSpec, scheduler: str) -> int:
    """A default is lowered to what the scheduler takes; what was asked is not."""
    most = most_steps(scheduler)
    if request.steps is None:
        return spec.default_steps if most is None else min(spec.default_steps, most)
    if most is not None and request.steps > most:
        raise InvalidField("steps", f"{scheduler} takes at most {most} steps")
    return request.steps


def _loras(request: GenerationRequest, spec: ModelSpec, catalog: Catalog) -> Iterator[PlannedLora]:
    """Those that have an effect, by their content. One file counts once, under whatever names."""
    seen: dict[str, int] = {}
    for index, asked in enumerate(request.loras):
        field = f"loras.{index}.model"
        lora = catalog.loras.spec(asked.model, field)
        if lora.sha256 in seen:
            raise InvalidField(field, f"{asked.model!r} is the LoRA of loras.{seen[lora.sha256]} again")
        if reason := lora.misfits.get(spec.name):
            raise LoraMisfit(field, f"{asked.model!r} does not fit {spec.name} ({Path(lora.path).name}): {reason}")
        seen[lora.sha256] = index
        if asked.weight:
            yield PlannedLora(model=asked.model, sha256=lora.sha256, weight=asked.weight)


def _vae(name: str | None, spec: ModelSpec, catalog: Catalog) -> PlannedVae:
    if name is None:
        return OwnVae()
    vae = catalog.vaes.spec(name, "vae")
    if reason := vae.misfits.get(spec.name):
        raise VaeMisfit("vae", f"{name!r} does not fit {spec.name}: {reason}")
    return NamedVae(name=name, sha256=vae.sha256)


def _named(request: GenerationRequest, catalog: Catalog) -> Named:
    texts = {"prompt": request.prompt, "negative_prompt": request.negative_prompt}
    return {field: catalog.embeddings.named_in(text) for field, text in texts.items()}


def _embeddings(named: Named, spec: ModelSpec, catalog: Catalog) -> Iterator[PlannedEmbedding]:
    """Those that either prompt names and the model can read."""
    for name in sorted({name for names in named.values() for name in names}):
        embedding = catalog.embeddings.spec(name)
        if embedding is not None and spec.name in embedding.models:
            yield PlannedEmbedding(name=name, sha256=embedding.sha256)


def _embedding_notices(named: Named, spec: ModelSpec, catalog: Catalog) -> Iterator[Notice]:
    for field, names in named.items():
        for name in names:
            embedding = catalog.embeddings.spec(name)
            if embedding is None:
                yield Notice(field=field, reason=f"the embedding {name!r} is broken; its name was read as words")
            elif spec.name not in embedding.models:
                yield Notice(field=field, reason=f"the embedding {name!r} does not fit {spec.name}; read as words")


def _notices(request: GenerationRequest, guidance_scale: float, seed: int) -> Iterator[Notice]:
    for field, text in (("prompt", request.prompt), ("negative_prompt", request.negative_prompt)):
        if clamped := parse(text).clamped:
            yield Notice(field=field, reason=f"{clamped} weights beyond {MOST_WEIGHT:g} were brought to it")
    if request.negative_prompt and guidance_scale <= 1:
        yield Notice(field="negative_prompt", reason="has no effect with a guidance_scale of 1 or less")
    if request.output_compression is not None and request.output_format == "png":
        yield Notice(field="output_compression", reason="has no effect on png, which is lossless")
    for index, lora in enumerate(request.loras):
        if not lora.weight:
            yield Notice(field=f"loras.{index}.weight", reason="a LoRA of weight 0 has no effect")
    if seed + request.n - 1 > MAX_SEED:
        yield Notice(field="seed", reason=f"seeds after {MAX_SEED} went on at 0")


def _webhook_notices(request: GenerationRequest) -> Iterator[Notice]:
    if request.webhook_url is None and request.webhook_events != ENDS:
        yield Notice(field="webhook_events", reason="has no effect without webhook_url")


def _preview_notices(request: GenerationRequest, made: bool) -> Iterator[Notice]:
    if request.previews and not made:
        yield Notice(field="previews", reason="this service makes none")
