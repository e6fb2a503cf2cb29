"""What an inspection finds, in JSON: it is all that leaves the process in which strangers' bytes are parsed."""

from typing import Self

import numpy as np
from pydantic import ConfigDict

from darkroom.contract.base import Settled
from darkroom.provenance.credential import Credential
from darkroom.provenance.similarity import Grey
from darkroom.provenance.watermark import Mark


class View(Settled):
    """A small grey picture, a byte a pixel, as it lay when it was marked."""

    model_config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")

    width: int
    height: int
    grey: bytes

    @classmethod
    def of(cls, grey_HW: Grey) -> Self:
        height, width = grey_HW.shape
        return cls(width=width, height=height, grey=np.ascontiguousarray(grey_HW).tobytes())

    @property
    def grey_HW(self) -> Grey:
        return np.frombuffer(self.grey, np.uint8).reshape(self.height, self.width)


class Evidence(Settled):
    """`mark` is None when there is none to read, or no pixels to read it from; with a mark comes the view of them.
    `alg` is the mark's, or else that of the watermark that marks; `none` where nobody looks for one. `decoded` is the
    pixels' height and width; `points_elsewhere`: the file says that its credential lies at some address."""

    sha256: str
    alg: str
    credential: Credential | None
    mark: Mark | None = None
    view: View | None = None
    decoded: tuple[int, int] | None = None
    points_elsewhere: bool = False
