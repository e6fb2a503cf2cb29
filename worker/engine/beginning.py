"""Where an image's latents begin, and what of them is held in place while they are denoised.

After `StableDiffusionImg2ImgPipeline` and `StableDiffusionInpaintPipeline` of diffusers, down to the order in which
noise is drawn from the image's generator.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from worker.engine.encode import Carried, Encoded, Enlarged, Nothing, Part, Whole
from worker.engine.mixing import Mixture

# Noise of the latents' shape from the image's own generator, 1 C H W, on the device.
Noise = Callable[[], Tensor]


@dataclass(frozen=True, eq=False)
class Way:
    """What a beginning must know of the steps to come. `mixtures`: one a pass; empty where no picture is mixed in.

    `pure`: begin with noise alone, times `init_noise_sigma`, whatever there is on the canvas. `told`: the network takes
    mask and rest as channels of its own.
    """

    mixtures: Sequence[Mixture]
    init_noise_sigma: float
    pure: bool
    told: bool


class Beginning(Protocol):
    """`latents_1CHW` are the first ones."""

    @property
    def latents_1CHW(self) -> Tensor: ...

    def shown(self, scaled_1CHW: Tensor) -> Tensor:
        """What the network is shown of latents that were scaled for it."""
        ...

    def held(self, latents_1CHW: Tensor, passes: int) -> Tensor:
        """Latents after so many passes, with what must stay put back."""
        ...


def begin(encoded: Encoded, way: Way, noise: Noise) -> Beginning:
    """The beginning for what was on the canvas."""
    match encoded:
        case Nothing():
            return Free(noise() * way.init_noise_sigma)
        case Carried():
            raise ValueError("what is carried on has begun already")
        case Whole():
            return Free(way.mixtures[0].of(encoded.image.sample(noise()), noise()))
        case Enlarged():
            return Free(way.mixtures[0].of(encoded.latents_1CHW, noise()))
        case Part():
            return _told(encoded, way, noise) if way.told else _kept(encoded, way, noise)


@dataclass(frozen=True, eq=False)
class Free:
    """Nothing is held."""

    latents_1CHW: Tensor

    def shown(self, scaled_1CHW: Tensor) -> Tensor:
        return scaled_1CHW

    def held(self, latents_1CHW: Tensor, passes: int) -> Tensor:
        return latents_1CHW


@dataclass(frozen=True, eq=False)
class Told:
    """A network made for inpainting is told of mask and rest, and keeps what must stay by itself."""

    latents_1CHW: Tensor
    extra_1CHW: Tensor

    def shown(self, scaled_1CHW: Tensor) -> Tensor:
        return torch.cat([scaled_1CHW, self.extra_1CHW], dim=1)

    def held(self, latents_1CHW: Tensor, passes: int) -> Tensor:
        return latents_1CHW


@dataclass(frozen=True, eq=False)
class Kept:
    """For any other network: after each pass, what is not masked is the picture again, with the noise of the next."""

    latents_1CHW: Tensor
    image_1CHW: Tensor
    noise_1CHW: Tensor
    mask_11HW: Tensor
    mixtures: Sequence[Mixture]

    def shown(self, scaled_1CHW: Tensor) -> Tensor:
        return scaled_1CHW

    def held(self, latents_1CHW: Tensor, passes: int) -> Tensor:
        image_1CHW = self.image_1CHW
        if passes < len(self.mixtures):
            image_1CHW = self.mixtures[passes].of(image_1CHW, self.noise_1CHW)
        return (1 - self.mask_11HW) * image_1CHW + self.mask_11HW * latents_1CHW


def _kept(part: Part, way: Way, noise: Noise) -> Kept:
    image_1CHW, start_1CHW = part.image.sample(noise()), noise()
    noise()  # diffusers samples the rest also for networks that are not told of it
    image_1CHW = _with_content(part, image_1CHW, noise)
    return Kept(_first(image_1CHW, start_1CHW, way), image_1CHW, start_1CHW, part.mask_11HW, way.mixtures)


def _told(part: Part, way: Way, noise: Noise) -> Told:
    """From pure noise, diffusers does not sample the picture, so neither is noise drawn for it."""
    image_1CHW = part.image.mean_1CHW if way.pure else part.image.sample(noise())
    start_1CHW = noise()
    rest_1CHW = part.rest.sample(noise())
    latents_1CHW = _first(_with_content(part, image_1CHW, noise), start_1CHW, way)
    return Told(latents_1CHW, torch.cat([part.mask_11HW, rest_1CHW], dim=1))


def _first(image_1CHW: Tensor, noise_1CHW: Tensor, way: Way) -> Tensor:
    return noise_1CHW * way.init_noise_sigma if way.pure else way.mixtures[0].of(image_1CHW, noise_1CHW)


def _with_content(part: Part, image_1CHW: Tensor, noise: Noise) -> Tensor:
    """`latent_noise` and `latent_nothing` of Stable Diffusion web UI, modules/processing.py; the others are pixels."""
    match part.content:
        case "latent_noise":
            return image_1CHW * (1 - part.mask_11HW) + noise() * part.mask_11HW
        case "latent_nothing":
            return image_1CHW * (1 - part.mask_11HW)
    return image_1CHW
