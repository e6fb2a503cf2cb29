"""Images decoded and encoded by a VAE that their request names, in the same passes as all others."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from darkroom.catalog.vaes import read_vae
from darkroom.catalog.weights import fresh_sha256
from darkroom.contract.model import ModelSpec
from darkroom.contract.vae import NamedVae, VaeSpec
from darkroom.errors import BrokenWeights
from tests.unit.engine.canvases import redrawn, repainted
from tests.unit.engine.checkpoints import CPU, write_vae
from tests.unit.engine.networks import still_checkpoint, watch
from tests.unit.engine.originals import vae_tensors
from tests.unit.engine.test_picture_oracle import components
from tests.unit.engine.works import Recorder, finish, make_work
from worker.engine import Engine, Work
from worker.models.autoencoder import Autoencoder, load_autoencoder
from worker.models.cache import ModelCache, Wanted
from worker.models.checkpoint import Checkpoint

NAMED = NamedVae(name="soft", sha256="cd" * 32)


@pytest.fixture(scope="module")
def vae_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_vae(tmp_path_factory.mktemp("vaes") / "soft", seed=11)


@pytest.fixture(scope="module")
def vae(vae_folder: Path) -> Autoencoder:
    return load_autoencoder(spec_of(vae_folder), CPU, torch.float32)


def spec_of(folder: Path, **models: ModelSpec) -> VaeSpec:
    return read_vae("soft", folder, {name: spec.latents for name, spec in models.items()}, fresh_sha256)


def cache_of(checkpoint: Checkpoint, vae: Autoencoder | None, budget: int = 1 << 30) -> ModelCache:
    loaded = {"model": checkpoint, NAMED: vae}
    return ModelCache(loaded.__getitem__, lambda wanted: loaded[wanted].bytes, budget)


def run(cache: ModelCache, *works: Work) -> Recorder:
    recorder = Recorder()
    engine = Engine(cache, recorder)
    for work in works:
        engine.admit(work)
    finish(engine)
    engine.close()
    return recorder


def softly(work: Work) -> Work:
    return replace(work, plan=work.plan.model_copy(update={"vae": NAMED}))


def by_diffusers(kind: str, checkpoint: Checkpoint, vae_folder: Path, work: Work, **inputs: Any) -> Any:
    import diffusers

    parts = {**components(checkpoint.spec.path), "vae": diffusers.AutoencoderKL.from_pretrained(vae_folder)}
    pipe = getattr(diffusers, kind)(**parts, requires_safety_checker=False)
    pipe.set_progress_bar_config(disable=True)
    plan = work.plan
    return pipe(
        plan.prompt,
        num_inference_steps=plan.steps,
        guidance_scale=plan.guidance_scale,
        generator=torch.Generator("cpu").manual_seed(plan.seeds[0]),
        output_type="np",
        **inputs,
    ).images[0]


def text() -> tuple[Work, str, dict[str, Any]]:
    return make_work(), "StableDiffusionPipeline", {"width": 64, "height": 64}


def image() -> tuple[Work, str, dict[str, Any]]:
    work = redrawn()
    return work, "StableDiffusionImg2ImgPipeline", {"image": Image.fromarray(work.canvas.rgb_HW3), "strength": 0.5}


def part() -> tuple[Work, str, dict[str, Any]]:
    work = repainted()
    pictures = {
        "image": Image.fromarray(work.canvas.rgb_HW3),
        "mask_image": Image.fromarray(work.canvas.mask_HW.astype(np.uint8) * 255),
    }
    return work, "StableDiffusionInpaintPipeline", {**pictures, "strength": 0.5, "width": 64, "height": 64}


def test_a_vae_in_one_file_is_the_one_in_the_folder(vae: Autoencoder, tmp_path: Path) -> None:
    for prefix in ("", "first_stage_model."):
        tensors = {f"{prefix}{name}": tensor.contiguous() for name, tensor in vae_tensors(vae.network)}
        save_file(tensors, tmp_path / "soft.safetensors")
        (tmp_path / "soft.darkroom.json").write_text('{"vae": {"norm_num_groups": 4}}')

        found = load_autoencoder(spec_of(tmp_path / "soft.safetensors"), CPU, torch.float32)

        expected = vae.network.state_dict()
        ours = found.network.state_dict()
        assert ours.keys() == expected.keys()
        assert all(torch.equal(ours[name], tensor) for name, tensor in expected.items())
        assert found.network.config.block_out_channels == vae.network.config.block_out_channels


def test_a_vae_in_one_file_takes_the_scaling_of_its_model(
    epsilon: Checkpoint, vae: Autoencoder, tmp_path: Path
) -> None:
    packed = {name: tensor.contiguous() for name, tensor in vae.network.state_dict().items()}
    save_file(packed, tmp_path / "soft.safetensors")  # by diffusers' own names
    (tmp_path / "soft.darkroom.json").write_text('{"vae": {"norm_num_groups": 4}}')
    alone = load_autoencoder(spec_of(tmp_path / "soft.safetensors"), CPU, torch.float32)
    assert alone.scaling == 0

    found, expected = (
        run(cache_of(epsilon, each), softly(redrawn(steps=2))).images["job"][0].astype(int) for each in (alone, vae)
    )

    assert np.abs(found - expected).max() <= 1


@pytest.mark.parametrize("task", [text, image, part])
def test_a_picture_is_what_diffusers_makes_with_that_vae(
    epsilon: Checkpoint, vae: Autoencoder, vae_folder: Path, task: Callable[[], tuple[Work, str, dict[str, Any]]]
) -> None:
    work, kind, inputs = task()

    found = run(cache_of(epsilon, vae), softly(work)).images["job"][0]
    own = run(cache_of(epsilon, vae), work).images["job"][0]

    expected = by_diffusers(kind, epsilon, vae_folder, work, **inputs)
    assert np.abs(found - expected * 255.0).max() <= 1
    assert np.abs(own - expected * 255.0).max() > 10


def test_images_of_different_vaes_share_passes_and_are_those_they_would_be_alone(
    epsilon: Checkpoint, vae: Autoencoder
) -> None:
    works = [make_work("own"), softly(make_work("soft", seeds=(2,))), softly(redrawn("drawn", steps=8))]
    alone = {work.job_id: run(cache_of(epsilon, vae), work).images[work.job_id][0] for work in works}
    watched, unet = watch(epsilon)

    together = run(cache_of(watched, vae), *works)

    assert 6 in unet.passes
    for job, picture in alone.items():
        assert np.abs(together.images[job][0].astype(int) - picture).max() <= 1


def test_the_vae_counts_under_the_budget_and_is_given_back(epsilon: Checkpoint, vae: Autoencoder) -> None:
    cache = cache_of(epsilon, vae)

    run(cache, softly(make_work(steps=1)))

    assert cache.resident() == ("model", NAMED)
    cache.evict_idle()
    assert cache.resident() == ()


def test_a_vae_that_never_fits_beside_its_model_fails_the_work_alone(epsilon: Checkpoint, vae: Autoencoder) -> None:
    cache = cache_of(epsilon, vae, budget=epsilon.bytes + vae.bytes - 1)

    recorder = run(cache, softly(make_work("soft", steps=1)), make_work("own", steps=1))

    assert recorder.failures["soft"].code == "out_of_memory"
    assert list(recorder.images) == ["own"]


def test_a_vae_that_cannot_be_loaded_fails_its_works_and_no_others(epsilon: Checkpoint) -> None:
    def load(wanted: Wanted) -> Checkpoint:
        if wanted == NAMED:
            raise BrokenWeights("soft", "truncated")
        return epsilon

    cache = ModelCache(load, lambda wanted: 1, 1 << 30)

    recorder = run(cache, softly(make_work("soft", steps=1)), make_work("own", steps=1))

    assert recorder.failures["soft"].code == "broken_weights"
    assert list(recorder.images) == ["own"]
    cache.evict_idle()
    assert cache.resident() == ()


def test_two_works_whose_needs_have_room_in_turn_both_end() -> None:
    """Each model has room beside its VAE, but not beside the other's: neither may hold what the other waits for."""
    vaes = {name: NamedVae(name=name, sha256="ab" * 32) for name in ("x", "y")}
    loaded: dict[Wanted, Any] = {name: still_checkpoint(name, size=40) for name in ("a", "b")}
    loaded |= {vae: Autoencoder(None, still_checkpoint().vae, 40, 0.0) for vae in vaes.values()}  # type: ignore[arg-type]
    cache = ModelCache(loaded.__getitem__, lambda wanted: loaded[wanted].bytes, 100)

    recorder = run(cache, make_work("1", model="a", vae=vaes["x"]), make_work("2", model="b", vae=vaes["y"]))

    assert recorder.ended == ["1", "2"]
    assert not recorder.failures


def test_a_lane_keeps_no_vae_that_nobody_leases(epsilon: Checkpoint, vae: Autoencoder) -> None:
    assert epsilon.with_vae(vae).without_vae().vae is None
    assert epsilon.with_vae(vae).unet is epsilon.unet


def test_a_file_replaced_after_the_catalog_was_read_is_refused(tmp_path: Path) -> None:
    spec = spec_of(write_vae(tmp_path / "soft", seed=11))
    write_vae(tmp_path / "soft", seed=12)

    with pytest.raises(BrokenWeights) as raised:
        load_autoencoder(spec, CPU, torch.float32)

    assert raised.value.path == "soft/diffusion_pytorch_model.safetensors"
