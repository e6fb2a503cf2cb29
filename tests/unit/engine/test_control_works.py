"""Works with ControlNets in the whole engine: leased with their model, in every stage, and at fault for themselves."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import ControlNetModel, StableDiffusionXLControlNetPipeline, StableDiffusionXLImg2ImgPipeline

from tests.unit.engine.controls import as_images, load, named, planned, steered, write_controlnet
from tests.unit.engine.latents import denoise_alone, relative
from tests.unit.engine.networks import still_checkpoint
from tests.unit.engine.staged import enlarged, polishing, with_refiner
from tests.unit.engine.works import Recorder, finish, make_work
from tests.unit.engine.xl import pipeline
from worker.engine import Engine, Heartbeat, Work
from worker.models.cache import ModelCache
from worker.models.checkpoint import Checkpoint
from worker.models.controlnet import Controlnet


@pytest.fixture(scope="module")
def net(epsilon: Checkpoint, tmp_path_factory: pytest.TempPathFactory) -> Controlnet:
    return load(write_controlnet(tmp_path_factory.mktemp("nets") / "net", epsilon.unet, 21))


def cache_of(checkpoint: Checkpoint, *nets: Controlnet, budget: int = 1 << 30) -> ModelCache:
    loaded: dict[Any, Any] = {"model": checkpoint, **{named(net): net for net in nets}}
    return ModelCache(loaded.__getitem__, lambda wanted: loaded[wanted].bytes, budget)


def run(cache: ModelCache, *works: Work) -> Recorder:
    recorder = Recorder()
    engine = Engine(cache, recorder)
    for work in works:
        engine.admit(work)
    finish(engine)
    engine.close()
    return recorder


def test_a_net_is_leased_for_the_work_and_given_back(epsilon: Checkpoint, net: Controlnet) -> None:
    cache = cache_of(epsilon, net)
    told = run(cache, steered(make_work("one"), planned(net)), make_work("two"))
    assert set(told.images) == {"one", "two"}
    assert named(net) in cache.resident()
    cache.evict_idle()
    assert cache.resident() == ()


def test_one_that_has_no_room_beside_its_model_fails_its_work_alone(net: Controlnet) -> None:
    checkpoint = still_checkpoint(size=100)
    told = run(cache_of(checkpoint, net, budget=200), steered(make_work("one"), planned(net)), make_work("two"))
    assert told.failures["one"].code == "out_of_memory"
    assert set(told.images) == {"two"}


def test_a_net_that_goes_wrong_fails_its_work_alone(epsilon: Checkpoint, net: Controlnet) -> None:
    class Broken:
        config = net.network.config

        def __call__(self, *_: Any, **__: Any) -> Any:
            raise RuntimeError("shapes")

    broken = replace(net, network=Broken())
    told = run(cache_of(epsilon, broken), steered(make_work("one"), planned(broken)), make_work("two"))
    assert told.failures["one"].code == "generation_failed"
    assert set(told.images) == {"two"}


def test_numbers_that_are_none_end_one_work_and_touch_no_neighbour(epsilon: Checkpoint, net: Controlnet) -> None:
    class Nan:
        config = net.network.config

        def __call__(self, *told: Any, **options: Any) -> Any:
            down, middle = net.network(*told, **options)
            return [torch.full_like(tensor, torch.nan) for tensor in down], middle

    broken = replace(net, network=Nan())
    told = run(cache_of(epsilon, broken), steered(make_work("one"), planned(broken)), make_work("two"))
    assert told.failures["one"].code == "nan_output"
    alone = run(cache_of(epsilon), make_work("two"))
    assert (told.images["two"][0] == alone.images["two"][0]).all()


def test_a_map_is_read_once_more_when_memory_was_short_and_the_heart_shows_it(
    epsilon: Checkpoint, net: Controlnet
) -> None:
    beats: list[Heartbeat] = []

    class Reader:
        def parameters(self) -> Any:
            return net.reader.parameters()

        def __call__(self, map_13HW: torch.Tensor) -> Any:
            beats.append(engine.heartbeat)
            if len(beats) == 1:
                raise torch.OutOfMemoryError("CUDA out of memory")
            return net.reader(map_13HW)

    cramped = replace(net, reader=Reader())
    recorder = Recorder()
    engine = Engine(cache_of(epsilon, cramped), recorder)
    engine.admit(steered(make_work("one", steps=1), planned(cramped)))
    finish(engine)
    engine.close()

    assert (recorder.failures, recorder.ended) == ({}, ["one"])
    assert len(beats) == 2
    assert all(beat.at is not None and beat.expected > 0 for beat in beats)


@pytest.mark.parametrize("upscaler", ["latent", pytest.param("lanczos", marks=pytest.mark.slow)])
def test_every_stage_is_steered_with_a_map_of_its_size(epsilon: Checkpoint, net: Controlnet, upscaler: Any) -> None:
    seen: list[tuple[int, ...]] = []

    class Watched:
        config = net.network.config

        def __call__(self, latents: Any, *told: Any, controlnet_cond: Any, **options: Any) -> Any:
            seen.append((*latents.shape[-2:], *controlnet_cond.shape[-2:]))
            return net.network(latents, *told, controlnet_cond=controlnet_cond, **options)

    watched = replace(net, network=Watched())
    work = steered(enlarged(steps=3, upscaler=upscaler, strength=0.7), planned(watched, end=0.7))

    denoise_alone(epsilon, work, nets=[watched])

    # Two of three passes, then one of the two that strength 0.7 leaves.
    assert seen == [(8, 8, 8, 8), (8, 8, 8, 8), (16, 16, 16, 16)]


@pytest.mark.slow
def test_stable_diffusion_xl_equals_its_own_pipeline(xl: Checkpoint, tmp_path: Path) -> None:
    folder = write_controlnet(tmp_path / "xl", xl.unet, 5)
    net = load(folder)
    fields: dict[str, Any] = {"scheduler": "euler", "guidance_scale": 5.0, "seeds": (77,), "negative_prompt": "blue"}
    work = steered(make_work(**fields), planned(net, 0.8, 0.0, 0.75))
    pipe = pipeline(StableDiffusionXLPipelineWith(folder), xl.spec.path)

    expected = pipe(
        work.plan.prompt,
        negative_prompt="blue",
        image=as_images(work)[0],
        width=64,
        height=64,
        num_inference_steps=work.plan.steps,
        guidance_scale=5.0,
        controlnet_conditioning_scale=0.8,
        control_guidance_end=0.75,
        generator=torch.Generator("cpu").manual_seed(77),
        output_type="latent",
    ).images

    assert relative(denoise_alone(xl, work, nets=[net]), expected) <= 1e-4


@pytest.mark.slow
def test_one_beside_a_refiner_equals_the_two_pipelines_one_after_the_other(
    xl: Checkpoint, refiner: Checkpoint, tmp_path: Path
) -> None:
    folder = write_controlnet(tmp_path / "xl", xl.unet, 5)
    net = load(folder)
    fields: dict[str, Any] = {"scheduler": "euler", "guidance_scale": 5.0, "seeds": (77,), "negative_prompt": "blue"}
    work = with_refiner(steered(make_work(steps=6, **fields), planned(net, 0.8, 0.0, 0.5)), 0.6)
    told: dict[str, Any] = {
        "prompt": work.plan.prompt,
        "negative_prompt": "blue",
        "num_inference_steps": 6,
        "guidance_scale": 5.0,
        "generator": torch.Generator("cpu").manual_seed(77),
        "output_type": "latent",
    }
    latents = pipeline(StableDiffusionXLPipelineWith(folder), xl.spec.path)(
        image=as_images(work)[0],
        width=64,
        height=64,
        controlnet_conditioning_scale=0.8,
        control_guidance_end=0.5,
        denoising_end=0.6,
        **told,
    ).images
    expected = pipeline(StableDiffusionXLImg2ImgPipeline, refiner.spec.path)(
        image=latents, denoising_start=0.6, **told
    ).images

    found = denoise_alone(xl, work, others=[polishing(refiner)], nets=[net])

    assert relative(found, expected) <= 1e-4


class StableDiffusionXLPipelineWith:
    """The pipeline with the ControlNet of a folder, to be made of the parts of one without."""

    def __init__(self, folder: Path) -> None:
        self._net = ControlNetModel.from_pretrained(folder)

    def __call__(self, *, requires_aesthetics_score: bool = False, **parts: Any) -> Any:
        return StableDiffusionXLControlNetPipeline(**parts, controlnet=self._net)
