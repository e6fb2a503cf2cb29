"""How closely the ControlNet that ships is followed: `python -m benchmarks.control [--net FOLDER] [--prompts N]`.

Draws N held-out scenes whose shapes lie, turn and grow as no caption says, traces them, and asks for them again by
caption and edge map, from the same seeds with and without the ControlNet. The edges of what comes are held against
those that were given: F1 of edge pixels with at most TOLERANCE px between them, after the boundary measure of Martin,
Fowlkes and Malik 2004. The last line is the figures as JSON.
"""

import argparse
import json
import random
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from diffusers import ControlNetModel, StableDiffusionControlNetPipeline, StableDiffusionPipeline
from PIL import Image as Pillow

from training.checker import check
from training.controlnet import edges, loosened
from training.evaluate import BATCH, GUIDANCE, SEED, STEPS, Prompt, held_out_prompts, load
from training.scenes import jittered, place
from training.shapes import SIDE, Image, draw

TINY = Path(__file__).parent.parent / "worker" / "tiny"
PROMPTS = 60
TOLERANCE = 2  # px
KINDS = ("single", "count", "relation")
VAGUE = "a picture"  # says nothing of what the map shows


def scenes(count: int) -> list[tuple[Prompt, Image]]:
    """As many of each kind: what is asked for, and a drawing that says more than that."""
    rng = random.Random(SEED)
    prompts = [prompt for kind in KINDS for prompt in held_out_prompts(kind, count // len(KINDS))]
    return [(prompt, _drawn(rng, prompt)) for prompt in prompts]


def _drawn(rng: random.Random, prompt: Prompt) -> Image:
    items = [loosened(rng, item) for item in place(rng, prompt.scene)]
    return draw(items, jittered(rng, prompt.scene.background))


def agreement(made: Image, given: Image) -> float:
    """F1 of two edge maps, HW: how many pixels of each have one of the other within TOLERANCE px."""
    if not made.any() or not given.any():
        return float(made.any() == given.any())
    precision, recall = _near(made, given), _near(given, made)
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def _near(points: Image, lines: Image) -> float:
    distance = cv2.distanceTransform((lines == 0).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return float((distance[points > 0] <= TOLERANCE).mean())


def generate(
    pipeline: StableDiffusionPipeline, texts: Sequence[str], maps: Sequence[Image] | None = None
) -> list[Image]:
    """One picture a text, each from its own seed, along the maps if there are any."""
    pictures: list[Image] = []
    for start in range(0, len(texts), BATCH):
        part = slice(start, start + BATCH)
        shown = {} if maps is None else {"image": [_picture(one) for one in maps[part]]}
        seeds = [torch.Generator().manual_seed(SEED + start + index) for index in range(len(texts[part]))]
        made = pipeline(
            list(texts[part]),
            num_inference_steps=STEPS,
            guidance_scale=GUIDANCE,
            width=SIDE,
            height=SIDE,
            generator=seeds,
            **shown,
        )
        pictures += [np.asarray(picture) for picture in made.images]
    return pictures


def _picture(edges_HW: Image) -> Pillow.Image:
    return Pillow.fromarray(np.repeat(edges_HW[..., None], 3, axis=2))


def figures(pictures: Sequence[Image], maps: Sequence[Image], prompts: Sequence[Prompt] = ()) -> dict[str, float]:
    """Mean agreement, and of those that were asked for in words the share that the checker finds right."""
    shares = [agreement(edges(picture), given) for picture, given in zip(pictures, maps, strict=True)]
    found = {"f1": round(float(np.mean(shares)), 3), "f1_above_0.8": round(float(np.mean(np.array(shares) > 0.8)), 3)}
    if prompts:
        right = [_shows(picture, prompt) for picture, prompt in zip(pictures, prompts, strict=True)]
        found["right"] = round(float(np.mean(right)), 3)
    return found


def _shows(picture: Image, prompt: Prompt) -> bool:
    return check(picture, prompt.scene)


def steered(pipeline: StableDiffusionPipeline, net: Path) -> StableDiffusionControlNetPipeline:
    """The same with a ControlNet."""
    parts = {**pipeline.components, "controlnet": ControlNetModel.from_pretrained(net)}
    with_net = StableDiffusionControlNetPipeline(**parts, requires_safety_checker=False)
    with_net.set_progress_bar_config(disable=True)
    return with_net


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=TINY / "model")
    parser.add_argument("--net", type=Path, default=TINY / "controlnets" / "canny")
    parser.add_argument("--prompts", type=int, default=PROMPTS)
    parser.add_argument("--pictures", type=Path, help="folder for a sheet: drawings, maps, and what was made of them")
    options = parser.parse_args()
    torch.set_num_threads(1)
    pipeline = load(options.model)
    net = steered(pipeline, options.net)
    drawn = scenes(options.prompts)
    prompts, maps = [prompt for prompt, _ in drawn], [edges(picture) for _, picture in drawn]
    texts = [prompt.text for prompt in prompts]
    made = {"without": generate(pipeline, texts), "with": generate(net, texts, maps)}
    vague = generate(net, [VAGUE] * len(maps), maps)
    table = {name: figures(pictures, maps, prompts) for name, pictures in made.items()}
    table["with_vague_words"] = figures(vague, maps)
    table["ceiling"] = figures([picture for _, picture in drawn], maps, prompts)
    if options.pictures:
        _sheet(options.pictures, [picture for _, picture in drawn], maps, [*made.values(), vague])
    for name, row in table.items():
        print(f"{name:>18}  {row}")
    flat = {f"{way}_{name}": value for way, row in table.items() for name, value in row.items()}
    print(json.dumps({"benchmark": "control", "figures": flat}))


def _sheet(folder: Path, drawn: Sequence[Image], maps: Sequence[Image], made: Sequence[Sequence[Image]]) -> None:
    """A row a scene: the drawing, its map, and what was made without, with, and with the map alone."""
    folder.mkdir(parents=True, exist_ok=True)
    columns = [drawn, [np.repeat(one[..., None], 3, axis=2) for one in maps], *made]
    rows = [np.concatenate(row, axis=1) for row in zip(*columns, strict=True)]
    Pillow.fromarray(np.concatenate(rows[:: max(1, len(rows) // 9)])).save(folder / "control.png")


if __name__ == "__main__":
    main()
