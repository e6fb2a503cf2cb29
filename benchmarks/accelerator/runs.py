"""Pictures a second: by diffusers' pipeline one at a time, and by our engine with a full line."""

import time
from typing import Any

import torch
from diffusers import EulerDiscreteScheduler, StableDiffusionPipeline, StableDiffusionXLPipeline
from torch.profiler import ProfilerActivity, profile

from benchmarks.accelerator.networks import BETAS
from benchmarks.serving.ours import Ends
from darkroom.contract.plan import GenerationPlan
from worker.engine import Engine, Work
from worker.engine.request import ROWS_GUIDED
from worker.models.cache import ModelCache
from worker.models.checkpoint import Checkpoint

GUIDANCE_SCALE = 5.0
# Of as many pictures as fill a pass: enough full passes of each size to find the knee before anything is measured.
WARM_UP_STEPS = 20


def matmul_flops(device: torch.device, side: int, repeats: int = 20) -> float:
    """Floating-point operations a second of a bf16 product of `side` x `side` matrices: the limit in practice."""
    left, right = (torch.randn(side, side, device=device, dtype=torch.bfloat16) for _ in range(2))
    for _ in range(3):
        left @ right
    _wait(device)
    began = time.perf_counter()
    for _ in range(repeats):
        left @ right
    _wait(device)
    return 2.0 * side**3 * repeats / (time.perf_counter() - began)


def eager_per_second(checkpoint: Checkpoint, steps: int, pictures: int) -> float:
    """Of diffusers' pipeline on the same networks, one picture after another."""
    words = checkpoint.text.encode("")
    given: dict[str, Any] = {"prompt_embeds": words.context_1TC, "negative_prompt_embeds": words.context_1TC}
    parts: dict[str, Any] = {
        "vae": checkpoint.vae,
        "unet": checkpoint.unet,
        "text_encoder": None,
        "tokenizer": None,
        "scheduler": EulerDiscreteScheduler.from_config(BETAS),
    }
    if words.pooled_1P is None:
        pipeline = StableDiffusionPipeline(
            **parts, safety_checker=None, feature_extractor=None, requires_safety_checker=False
        )
    else:
        pipeline = StableDiffusionXLPipeline(**parts, text_encoder_2=None, tokenizer_2=None, add_watermarker=False)
        given |= {"pooled_prompt_embeds": words.pooled_1P, "negative_pooled_prompt_embeds": words.pooled_1P}
    pipeline.set_progress_bar_config(disable=True)
    side = checkpoint.spec.native_width
    asked = given | {"width": side, "height": side, "guidance_scale": GUIDANCE_SCALE, "output_type": "np"}
    with checkpoint.kernels.uncompiled():
        pipeline(num_inference_steps=2, **asked)
        _wait(checkpoint.device)
        began = time.perf_counter()
        for _ in range(pictures):
            pipeline(num_inference_steps=steps, **asked)
    return pictures / (time.perf_counter() - began)


def engine_per_second(checkpoint: Checkpoint, steps: int, pictures: int, max_rows: int) -> tuple[float, float]:
    """(pictures a second, share of the time in which the device had nothing to do), with a full line.

    The share is taken from a run of its own, under the profiler; 0 on a CPU, which is never idle here.
    """
    models = ModelCache(lambda _: checkpoint, lambda _: 1, 1)
    models.lease(checkpoint.spec.name).release()
    engine = Engine(models, Ends(), max_rows)
    _serve(engine, checkpoint, WARM_UP_STEPS, max_rows // ROWS_GUIDED)  # compiles, tunes, and finds the knee
    began = time.perf_counter()
    _serve(engine, checkpoint, steps, pictures)
    rate = pictures / (time.perf_counter() - began)
    idle = _idle(engine, checkpoint, max_rows) if checkpoint.device.type == "cuda" else 0.0
    engine.close()
    return rate, idle


def _idle(engine: Engine, checkpoint: Checkpoint, pictures: int) -> float:
    with profile(activities=[ProfilerActivity.CUDA]) as traced:
        began = time.perf_counter()
        _serve(engine, checkpoint, 4, pictures)
        wall = time.perf_counter() - began
    busy = sum(event.self_device_time_total for event in traced.key_averages()) / 1e6
    return max(0.0, 1.0 - busy / wall)


def _serve(engine: Engine, checkpoint: Checkpoint, steps: int, pictures: int) -> None:
    waiting = [Work(str(index), 1, _plan(checkpoint, steps, index)) for index in range(pictures)]
    while waiting or engine.in_flight():
        while waiting and engine.room():
            engine.admit(waiting.pop())
        engine.step()


def _plan(checkpoint: Checkpoint, steps: int, seed: int) -> GenerationPlan:
    side = checkpoint.spec.native_width
    return GenerationPlan(
        task="text_to_image",
        model=checkpoint.spec.name,
        weights={},
        prompt="random words",
        negative_prompt="",
        clip_skip=0,
        width=side,
        height=side,
        steps=steps,
        guidance_scale=GUIDANCE_SCALE,
        scheduler="euler",
        seeds=(seed,),
        loras=(),
        embeddings=(),
        output_format="png",
        output_compression=90,
        deterministic=False,
        priority="interactive",
        deadline_at=None,
        predicted_seconds=1.0,
        warnings=(),
        metadata={},
    )


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
