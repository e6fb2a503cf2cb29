"""What the planner is told of a request's pictures, once they are read."""

from darkroom.contract.base import Settled
from darkroom.contract.start import Box, PictureRef


class Pictures(Settled):
    """`controls` has one picture for each of the request's ControlNets."""

    controls: tuple[PictureRef, ...] = ()


class NoPicture(Pictures):
    """Words only, as far as the latents' beginning goes."""


class OnePicture(Pictures):
    image: PictureRef


class MaskedPicture(Pictures):
    """`masked` is the smallest box around all that is to be made anew."""

    image: PictureRef
    mask: PictureRef
    masked: Box


Inputs = NoPicture | OnePicture | MaskedPicture
