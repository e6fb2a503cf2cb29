"""How well the LoRA that ships draws outlines: `python -m benchmarks.outline [--lora FILE] [--prompts N]`.

Draws N held-out prompts with and without it on one thread, from the same seeds, and measures how hollow the shapes
are. The last line is the figures as JSON.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import torch

from training.checker import hollowness, read
from training.evaluate import Prompt, generate, held_out_prompts, load
from training.shapes import Image

TINY = Path(__file__).parent.parent / "worker" / "tiny"
PROMPTS = 60
# Drawings of training scenes in outlines have .14 to .6, filled ones 0; rings are hollow either way and left out.
HOLLOW = 0.12


def prompts_without_rings(count: int) -> list[Prompt]:
    """Half of one object, half of a counted one."""
    found = [*held_out_prompts("single", 2 * count), *held_out_prompts("count", 2 * count)]
    plain = [prompt for prompt in found if all(thing.shape != "ring" for thing in prompt.scene.things)]
    kinds = [[prompt for prompt in plain if prompt.scene.kind == kind] for kind in ("single", "count")]
    return [prompt for kind in kinds for prompt in kind[: count // 2]]


def figures(pictures: Sequence[Image], prompts: Sequence[Prompt]) -> dict[str, float]:
    """Shares of hollow pictures and of those with the background asked for, and the median hollowness."""
    hollow = [hollowness(picture) for picture in pictures]
    grounds = [
        read(picture).background == prompt.scene.background for picture, prompt in zip(pictures, prompts, strict=True)
    ]
    return {
        "hollow": round(sum(share >= HOLLOW for share in hollow) / len(hollow), 3),
        "median_hollowness": round(median(hollow), 3),
        "background": round(sum(grounds) / len(grounds), 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=TINY / "model")
    parser.add_argument("--lora", type=Path, default=TINY / "loras" / "outline.safetensors")
    parser.add_argument("--prompts", type=int, default=PROMPTS)
    options = parser.parse_args()
    torch.set_num_threads(1)
    pipeline, prompts = load(options.model), prompts_without_rings(options.prompts)
    texts = [prompt.text for prompt in prompts]
    told = {"without": figures(generate(pipeline, texts), prompts)}
    pipeline.load_lora_weights(options.lora.parent, weight_name=options.lora.name)
    told["with"] = figures(generate(pipeline, texts), prompts)
    for name, shares in told.items():
        print(f"{name:<8} the LoRA: {shares}", flush=True)
    flat = {f"{figure}_{name}": share for name, shares in told.items() for figure, share in shares.items()}
    print(json.dumps({"benchmark": "outline", "figures": flat}))


if __name__ == "__main__":
    main()
