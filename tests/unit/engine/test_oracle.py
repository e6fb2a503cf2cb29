"""What the engine makes is what diffusers' own pipeline makes."""

import diffusers
import numpy as np
import pytest
import torch
from diffusers import StableDiffusionPipeline

from darkroom.contract.plan import GenerationPlan
from tests.unit.engine.latents import denoise_alone, relative
from tests.unit.engine.works import develop, make_plan, make_work
from worker.engine.request import Work
from worker.engine.schedulers import KINDS
from worker.models.checkpoint import Checkpoint

# Diffusers' names, written out again: the table under test must not choose its own oracle.
SDE = {"algorithm_type": "sde-dpmsolver++"}
MULTISTEP, SINGLESTEP = "DPMSolverMultistepScheduler", "DPMSolverSinglestepScheduler"
SAMPLERS = {
    "ddim": ("DDIMScheduler", {}),
    "euler": ("EulerDiscreteScheduler", {}),
    "euler_a": ("EulerAncestralDiscreteScheduler", {}),
    "dpmpp_2m": (MULTISTEP, {}),
    "dpmpp_2m_karras": (MULTISTEP, {"use_karras_sigmas": True}),
    "dpmpp_2m_sde": (MULTISTEP, SDE),
    "dpmpp_2m_sde_karras": (MULTISTEP, {**SDE, "use_karras_sigmas": True}),
    "dpmpp_2m_sde_heun": (MULTISTEP, {**SDE, "solver_type": "heun"}),
    "dpmpp_3m": (MULTISTEP, {"solver_order": 3}),
    "dpmpp_3m_sde": (MULTISTEP, {**SDE, "solver_order": 3}),
    "dpmpp_2s": (SINGLESTEP, {"lower_order_final": True}),
    "dpmpp_sde": (SINGLESTEP, {**SDE, "lower_order_final": True}),
    "unipc": ("UniPCMultistepScheduler", {}),
    "ddpm": ("DDPMScheduler", {}),
    "lms": ("LMSDiscreteScheduler", {}),
    "heun": ("HeunDiscreteScheduler", {}),
    "dpm2": ("KDPM2DiscreteScheduler", {}),
    "dpm2_a": ("KDPM2AncestralDiscreteScheduler", {}),
    "deis": ("DEISMultistepScheduler", {}),
    "pndm": ("PNDMScheduler", {"skip_prk_steps": True}),
    "lcm": ("LCMScheduler", {}),
    "tcd": ("TCDScheduler", {}),
}
SPACINGS = {
    "karras": {"use_karras_sigmas": True},
    "exponential": {"use_exponential_sigmas": True},
    "beta": {"use_beta_sigmas": True},
    "sgm_uniform": {"timestep_spacing": "trailing"},
}
SPACED = {
    name: (class_name, {**overrides, **SPACINGS[spacing]})
    for spacing in SPACINGS
    for sampler, (class_name, overrides) in SAMPLERS.items()
    if (name := f"{sampler}_{spacing}") in KINDS and name not in SAMPLERS
}
ORACLES = SAMPLERS | SPACED


# One of each way to step; `test_matrix` has every scheduler on every family.
QUICK = ("ddim", "euler_a", "dpmpp_2m_karras", "dpmpp_sde", "unipc", "heun", "pndm", "lcm")


@pytest.fixture(params=["epsilon", pytest.param("embedded", marks=pytest.mark.slow)])
def checkpoint(request: pytest.FixtureRequest) -> Checkpoint:
    return request.getfixturevalue(request.param)


def pipeline(checkpoint: Checkpoint, scheduler: str) -> StableDiffusionPipeline:
    pipe = StableDiffusionPipeline.from_pretrained(checkpoint.spec.path, dtype=torch.float32)
    class_name, overrides = ORACLES[scheduler]
    pipe.scheduler = getattr(diffusers, class_name).from_config(pipe.scheduler.config, **overrides)
    pipe.set_progress_bar_config(disable=True)
    return pipe


def oracle(pipe: StableDiffusionPipeline, plan: GenerationPlan, output_type: str) -> torch.Tensor | np.ndarray:
    return pipe(
        plan.prompt,
        negative_prompt=plan.negative_prompt,
        width=plan.width,
        height=plan.height,
        num_inference_steps=plan.steps,
        guidance_scale=plan.guidance_scale,
        generator=torch.Generator("cpu").manual_seed(plan.seeds[0]),
        output_type=output_type,
    ).images


def plan_for(checkpoint: Checkpoint, **fields: object) -> GenerationPlan:
    spec = checkpoint.spec
    size = {"model": spec.name, "width": spec.native_width, "height": spec.native_height}
    return make_plan(**{**size, "negative_prompt": "a blue square", "seeds": (77,), **fields})


def test_every_scheduler_has_an_oracle() -> None:
    assert set(ORACLES) == set(KINDS)


@pytest.mark.slow
@pytest.mark.parametrize("guidance_scale", [pytest.param(1.0, marks=pytest.mark.slow), 4.0])
@pytest.mark.parametrize(
    "scheduler", [pytest.param(name, marks=[] if name in QUICK else pytest.mark.slow) for name in SAMPLERS]
)
def test_latents_equal_those_of_the_pipeline(checkpoint: Checkpoint, scheduler: str, guidance_scale: float) -> None:
    plan = plan_for(checkpoint, scheduler=scheduler, guidance_scale=guidance_scale, steps=5)

    expected = oracle(pipeline(checkpoint, scheduler), plan, "latent")

    assert relative(denoise_alone(checkpoint, plan), expected) <= 1e-4


def test_the_picture_equals_that_of_the_pipeline(checkpoint: Checkpoint) -> None:
    plan = plan_for(checkpoint, scheduler="euler_a")
    expected = oracle(pipeline(checkpoint, "euler_a"), plan, "np")[0] * 255

    made = develop(checkpoint, [Work("job", 1, plan)]).images["job"][0]

    assert made.shape == (plan.height, plan.width, 3)
    assert np.abs(made.astype(float) - expected).max() <= 0.51


def test_a_picture_that_is_not_square_has_the_size_asked_for(epsilon: Checkpoint) -> None:
    made = develop(epsilon, [make_work(width=96, height=64)]).images["job"][0]

    assert made.shape == (64, 96, 3)
