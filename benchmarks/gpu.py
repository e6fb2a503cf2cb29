"""What the engine makes of a GPU: `python -m benchmarks.gpu [--compile] [--attention NAME] [--max-rows N] [--tiny]`.

Stable Diffusion 1.5 at 512 and XL at 1024 pixels a side, random weights, bf16, 20 steps with guidance: our engine with
a full line against diffusers' pipeline one picture at a time, both beside the limit that an 8192^3 bf16 matrix product
sets in the same run. Without CUDA it says so; `--tiny` tries the code on a CPU, with a network whose figures mean
nothing. The last line is the figures as JSON.
"""

import argparse
import json
from typing import get_args

import torch

from benchmarks.accelerator.networks import build, flops
from benchmarks.accelerator.runs import eager_per_second, engine_per_second, matmul_flops
from worker.models.kernels import Attention, Kernels

MODELS = ("sd15", "sdxl")
STEPS = 20
PICTURES, EAGER_PICTURES = 48, 6
MATRIX = 8192


def measure(name: str, device: torch.device, kernels: Kernels, max_rows: int, limit: float) -> dict[str, float]:
    """The figures of one model; prints them. `limit` in operations a second."""
    small = name == "tiny"
    steps, pictures, eager_pictures = (2, 4, 1) if small else (STEPS, PICTURES, EAGER_PICTURES)
    checkpoint = build(name, device, torch.float32 if small else torch.bfloat16, kernels)
    eager = eager_per_second(checkpoint, steps, eager_pictures)
    ours, idle = engine_per_second(checkpoint, steps, pictures, max_rows)
    row, decoding = flops(name)
    share = ours * (2 * steps * row + decoding) / limit
    print(
        f"{name:6} eager {eager:8.3f}/s   engine {ours:8.3f}/s   {share:6.1%} of the limit   idle {idle:6.1%}",
        flush=True,
    )
    return {
        f"{name}_eager_per_second": round(eager, 4),
        f"{name}_engine_per_second": round(ours, 4),
        f"{name}_engine_vs_eager": round(ours / eager, 4),
        f"{name}_share_of_limit": round(share, 4),
        f"{name}_idle": round(idle, 4),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--attention", choices=get_args(Attention), default="auto")
    parser.add_argument("--max-rows", type=int, default=16)
    parser.add_argument("--tiny", action="store_true")
    options = parser.parse_args()
    if not options.tiny and not torch.cuda.is_available():
        print("no CUDA device: nothing to measure")
        print(json.dumps({"benchmark": "gpu", "figures": {}, "skipped": "no CUDA device"}))
        return
    device = torch.device("cpu" if options.tiny else "cuda:0")
    limit = matmul_flops(device, 64 if options.tiny else MATRIX)
    print(f"a bf16 matrix product makes {limit / 1e12:.3f} TFLOP/s on {device}")
    kernels = Kernels(options.attention, compiled=options.compile)
    figures: dict[str, float] = {"matmul_tflops": round(limit / 1e12, 3)}
    for name in ("tiny",) if options.tiny else MODELS:
        figures |= measure(name, device, kernels, options.max_rows, limit)
    print(json.dumps({"benchmark": "gpu", "figures": figures}))


if __name__ == "__main__":
    main()
