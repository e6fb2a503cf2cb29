"""What it costs to look at words and pictures: `python -m benchmarks.checkers [--rounds N]`.

Then how Open-NSFW scores pictures that the embedded model makes of held-out prompts: none of them is what it looks for.
Networks have the sizes of those that are much used and random weights: what they cost is the same. The smallest
processor time of several rounds on one thread, and the memory of this process after each. The last line is the figures
as JSON.
"""

import argparse
import json
import resource
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from diffusers.pipelines.stable_diffusion.safety_checker import StableDiffusionSafetyChecker
from transformers import CLIPConfig, ViTConfig, ViTForImageClassification

from darkroom.catalog import embedded_model_folder
from darkroom.safety.prompt_list import PromptList, minors_list
from darkroom.settings import ClassifierPlace
from training.evaluate import generate, held_out_prompts, load
from worker.safety.folder import open_classifier
from worker.safety.open_nsfw import CATEGORY, OpenNsfw, open_open_nsfw

ROUNDS = 7
SIDES = (512, 1024)
KINDS = ("single", "count", "relation", "position", "inside")
PICTURES = 12  # of each kind
CPU = torch.device("cpu")
PROMPT = "a photograph of an old castle on a hill, dramatic light, (detailed:1.2), [blurry], 35mm, by an unknown hand, "
HOSTILE = {"plain": PROMPT, "letter by letter": "a ", "brackets": "(", "ideographs": "性"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    figures: dict[str, float] = {}
    lists = {"the list that ships": minors_list(), "10,000 entries": long_list()}
    for name, found in lists.items():
        for kind, piece in HOSTILE.items():
            prompt = (piece * 10_000)[:10_000]
            told(figures, f"{name}, 10,000 characters, {kind}", best(rounds, partial(found.scores, prompt)))
    nsfw = open_open_nsfw()
    for side in SIDES:
        told(figures, f"open-nsfw, {side} x {side}", best(rounds, partial(nsfw.scores, noise(side))))
    with tempfile.TemporaryDirectory() as folder:
        for name, make in (("safety checker, CLIP ViT-L/14", concepts), ("classifier, ViT-B/16", labels)):
            path = Path(folder) / make.__name__
            make(path)
            checker = open_classifier("it", ClassifierPlace(path=path), CPU)
            told(figures, f"{name}, 512 x 512", best(rounds, partial(checker.scores, noise(512))))
    scores = of_harmless_pictures(nsfw)
    figures |= {"open-nsfw, harmless, median": scores[len(scores) // 2], "open-nsfw, harmless, highest": scores[-1]}
    print(f"open-nsfw of {len(scores)} harmless pictures: median {scores[len(scores) // 2]}, highest {scores[-1]}")
    print(json.dumps({"benchmark": "checkers", "figures": figures}))


def of_harmless_pictures(nsfw: OpenNsfw) -> list[float]:
    """The lowest first."""
    prompts = [prompt.text for kind in KINDS for prompt in held_out_prompts(kind, PICTURES)]
    pictures = generate(load(embedded_model_folder()), prompts)
    return sorted(round(nsfw.scores(picture)[CATEGORY], 4) for picture in pictures)


def told(figures: dict[str, float], what: str, milliseconds: float) -> None:
    figures[what] = round(milliseconds, 1)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{what:56}{milliseconds:9.1f} ms{peak:7} MB at most", flush=True)


def best(rounds: int, call: Callable[[], object]) -> float:
    """Milliseconds of processor time of the quickest round: others may be at work on this machine."""
    times = []
    for _ in range(rounds):
        began = time.process_time()
        call()
        times.append(time.process_time() - began)
    return 1000 * min(times)


def noise(side: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (side, side, 3), dtype=np.uint8)


def long_list() -> PromptList:
    return PromptList("long", "\n".join(f"bad: entry{number} of a list" for number in range(10_000)).encode())


def concepts(folder: Path) -> None:
    """As CompVis/stable-diffusion-safety-checker is made."""
    vision = {"hidden_size": 1024, "intermediate_size": 4096, "num_hidden_layers": 24, "num_attention_heads": 16}
    text = {"hidden_size": 64, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2}
    StableDiffusionSafetyChecker(
        CLIPConfig(vision_config={**vision, "patch_size": 14}, text_config=text, projection_dim=768)
    ).save_pretrained(folder)


def labels(folder: Path) -> None:
    """As Falconsai/nsfw_image_detection is made."""
    ViTForImageClassification(ViTConfig(id2label={0: "normal", 1: "nsfw"})).save_pretrained(folder)
    processor = {"image_processor_type": "ViTImageProcessor", "size": {"height": 224, "width": 224}}
    (folder / "preprocessor_config.json").write_text(json.dumps(processor))


if __name__ == "__main__":
    main()
