"""How well the embedded model follows prompts: `python -m benchmarks.model [--model FOLDER] [--prompts N]`.

Draws N held-out prompts of each kind on one thread, reads the pictures back with the checker and prints a table; the
last line is the figures as JSON.
"""

import argparse
import json
from pathlib import Path

import torch
from diffusers import StableDiffusionPipeline

from training.evaluate import FIGURES, GUIDANCE, STEPS, load, megabytes, score, seconds_per_image

MODEL = Path(__file__).parent.parent / "worker" / "tiny" / "model"
PROMPTS = 200  # of each kind
EXTRA_KINDS = {"position": "position", "inside": "inside"}  # shown in the table, no target


def accuracies(pipeline: StableDiffusionPipeline, prompts: int) -> dict[str, float]:
    """Share of pictures that are right in everything, by figure; prints the table as it goes."""
    print(
        f"{prompts} held-out prompts of each kind, {STEPS} steps, guidance {GUIDANCE}, {torch.get_num_threads()} thread"
    )
    found = {}
    for name, kind in {**FIGURES, **EXTRA_KINDS}.items():
        right, _ = score(pipeline, kind, prompts)
        found[name] = sum(right) / prompts
        print(f"{name:<20}{sum(right):>5} of {prompts}{found[name]:>9.1%}", flush=True)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=MODEL)
    parser.add_argument("--prompts", type=int, default=PROMPTS)
    options = parser.parse_args()
    torch.set_num_threads(1)
    pipeline = load(options.model)
    found = accuracies(pipeline, options.prompts)
    figures = {name: round(found[name], 4) for name in FIGURES}
    figures["seconds_per_image"] = round(seconds_per_image(pipeline), 3)
    figures["megabytes"] = round(megabytes(options.model), 2)
    print(json.dumps({"benchmark": "model", "figures": figures}))


if __name__ == "__main__":
    main()
