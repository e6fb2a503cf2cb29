"""The colours of latents, fitted to the VAE that they are of."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from structlog.testing import capture_logs

from darkroom.catalog import Catalog, open_catalog
from darkroom.errors import NanOutput
from darkroom.settings import Settings
from tests.unit.engine.checkpoints import SCALING, small_vae
from worker.models.checkpoint import Checkpoint
from worker.models.open import open_models
from worker.models.palette import SIDE, Palette, dead_leaves, fit_palette


class Latents:
    def __init__(self, mean: torch.Tensor) -> None:
        self.latent_dist = self
        self.mean = mean


class LinearVae:
    """Its latents are three colours of its pictures, mixed, and a fourth that says nothing; so a map is exact."""

    device = torch.device("cpu")
    dtype = torch.float32
    broken_in: tuple[torch.dtype, ...] = ()

    class config:
        block_out_channels = (1, 1, 1, 1)

    def to(self, dtype: torch.dtype) -> None:
        self.dtype = dtype

    def encode(self, pictures_N3HW: torch.Tensor) -> Latents:
        small = torch.nn.functional.avg_pool2d(pictures_N3HW.float(), 8)
        red, green, blue = small.unbind(1)
        latents = torch.stack((2 * red + green, green - blue, 2 * blue + 1, torch.zeros_like(red)), 1)
        return Latents(latents * float("nan") if self.dtype in self.broken_in else latents)


def test_colours_that_are_there_to_be_read_are_read() -> None:
    vae = LinearVae()
    palette = fit_palette(vae)
    picture = torch.tensor(dead_leaves(128)[3]).permute(2, 0, 1)[None].float() / 127.5 - 1
    wanted = torch.nn.functional.avg_pool2d(picture, 8)[0].permute(1, 2, 0)
    painted = torch.from_numpy(palette.paint(vae.encode(picture).mean)).float() / 127.5 - 1
    assert (painted - wanted).abs().mean() <= 0.04, "but for what keeps the map small"


def test_the_same_vae_has_the_same_palette_each_time() -> None:
    one, other = (fit_palette(LinearVae()) for _ in range(2))
    assert torch.equal(one.weights_3Ckk, other.weights_3Ckk)
    assert torch.equal(one.bias_3, other.bias_3)


def test_a_vae_that_overflows_in_half_precision_is_asked_in_float32_and_left_as_it_was() -> None:
    vae = LinearVae()
    vae.to(torch.float16)
    vae.broken_in = (torch.float16,)
    assert torch.equal(fit_palette(vae).bias_3, fit_palette(LinearVae()).bias_3)
    assert vae.dtype == torch.float16
    vae.broken_in = (torch.float16, torch.float32)
    with pytest.raises(NanOutput):
        fit_palette(vae)
    assert vae.dtype == torch.float16


def test_vaes_of_other_depths_are_fitted_by_their_own_scale() -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        vae = small_vae()
    palette = fit_palette(vae)
    assert palette.weights_3Ckk.shape == (3, 4, SIDE, SIDE)
    assert torch.isfinite(palette.weights_3Ckk).all()


def test_latents_are_brought_from_the_u_nets_scale_to_the_vaes(epsilon: Checkpoint) -> None:
    seen: list[torch.Tensor] = []

    class Seeing(Palette):
        def paint(self, latents_1CHW: torch.Tensor) -> Any:
            seen.append(latents_1CHW)
            return super().paint(latents_1CHW)

    fitted = fit_palette(epsilon.vae)
    checkpoint = replace(epsilon, palette=Seeing(fitted.weights_3Ckk, fitted.bias_3))
    sketch = checkpoint.sketch(torch.full((1, 4, 8, 8), SCALING))
    assert torch.equal(seen[0], torch.ones(1, 4, 8, 8))
    assert sketch is not None
    assert sketch.shape == (8, 8, 3)


def embedded_catalog(tmp_path: Path) -> tuple[Settings, Catalog]:
    settings = Settings(home=tmp_path, device="cpu")
    return settings, open_catalog(settings)


def test_models_come_with_a_palette_unless_nobody_wants_sketches(tmp_path: Path) -> None:
    settings, catalog = embedded_catalog(tmp_path)
    wanted = open_models(settings, catalog).lease(catalog.default).loaded
    unwanted = open_models(settings.model_copy(update={"previews": False}), catalog).lease(catalog.default).loaded
    assert wanted.palette is not None
    assert unwanted.palette is None


def test_a_model_whose_vae_cannot_be_fitted_serves_without_sketches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unfit(vae: Any) -> Palette:
        raise NanOutput("not numbers")

    monkeypatch.setattr("worker.models.open.fit_palette", unfit)
    settings, catalog = embedded_catalog(tmp_path)
    with capture_logs() as lines:
        loaded = open_models(settings, catalog).lease(catalog.default).loaded
    assert loaded.palette is None
    assert [(line["event"], line["error"]) for line in lines] == [("palette.unfit", "NanOutput")]
