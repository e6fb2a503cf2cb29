"""What the planner is told of a request's pictures, once they are read."""

from darkroom.contract.base import Settled
from darkroom.contract.start import Box, PictureRef


class NoPicture(Settled):
    """Words only."""


class OnePicture(Settled):
    image: PictureRef


class MaskedPicture(Settled):
    """`masked` is the smallest box around all that is to be made anew."""

    image: PictureRef
    mask: PictureRef
    masked: Box


Inputs = NoPicture | OnePicture | MaskedPicture
