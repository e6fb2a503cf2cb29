"""How many tokens the words of a generation are, counted by its model's own tokenizer."""

import asyncio
from pathlib import Path

from api.dialects.openai.answers import Tokens, made_plan
from darkroom.contract.job import Job
from darkroom.contract.model import ModelSpec
from darkroom.errors import DarkroomError
from darkroom.prompt import parse
from darkroom.services import Services


async def tokens_of(services: Services, job: Job) -> Tokens:
    """Of prompt and negative prompt, without the marks of emphasis. None are counted where the model, or what reads its
    words, is not here any more: the pictures are."""
    plan = made_plan(job)
    try:
        spec = services.catalog.spec(plan.model)
    except DarkroomError:
        return Tokens()
    return Tokens(await asyncio.to_thread(count, spec, (plan.prompt, plan.negative_prompt)))


def count(spec: ModelSpec, texts: tuple[str, ...]) -> int:
    # Seven MiB that a gateway whom nobody asks in this way need not hold.
    from api.dialects.openai.tokenizer import opened

    tokenizer = opened(_folder(spec))
    if tokenizer is None:
        return 0
    pieces = [piece.text for text in texts for section in parse(text).sections for piece in section]
    return sum(len(tokenizer.encode(piece, add_special_tokens=False).ids) for piece in pieces)


def _folder(spec: ModelSpec) -> Path:
    if spec.layout == "single_file":
        return Path(spec.tokenizer)
    return Path(spec.path) / ("tokenizer_2" if spec.family == "sdxl_refiner" else "tokenizer")
