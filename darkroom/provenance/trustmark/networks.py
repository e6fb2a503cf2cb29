"""TrustMark's two networks, run by onnxruntime on the CPU from files whose content was pinned."""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from darkroom.errors import ConfigurationError
from darkroom.provenance.trustmark.packet import PACKET_BITS

Variant = Literal["B", "C", "P", "Q"]
Picture = NDArray[np.float32]  # 1 x 3 x side x side, -1..1
Bits = NDArray[np.uint8]

ENCODER_SIDE: Final = 256
DECODER_SIDES: Final[dict[Variant, int]] = {"B": 245, "C": 245, "P": 224, "Q": 245}
# Where onnxruntime looks for tensors that a file leaves to others; else in the folder this process was started in.
_BESIDE: Final = "session.model_external_initializers_file_folder_path"


@dataclass(frozen=True)
class NetworkFiles:
    """A variant's encoder and decoder, and the SHA-256 (hex) that each must have."""

    variant: Variant
    encoder: Path
    encoder_sha256: str
    decoder: Path
    decoder_sha256: str


class Networks:
    """Both networks of a variant. Threads share them: a session holds no state of a run.

    Sides are those that the files fix; where they leave them open, those of TrustMark 0.9.2.
    Raises: ConfigurationError without onnxruntime, and for a file that is missing, another than was pinned, or no such
    network.
    """

    def __init__(self, files: NetworkFiles) -> None:
        self.variant: Final = files.variant
        self._encoder = _session(files.encoder, files.encoder_sha256)
        self._decoder = _session(files.decoder, files.decoder_sha256)
        self._image, self._secret = _encoder_inputs(self._encoder, files.encoder)
        self._taken = _decoder_input(self._decoder, files.decoder)
        self.encoder_side: Final = _side(self._image) or ENCODER_SIDE
        self.decoder_side: Final = _side(self._taken) or DECODER_SIDES[files.variant]
        self._try_out(files)

    def encode(self, cover: Picture, bits: Bits) -> Picture:
        """The cover with the bits in it, not yet clipped."""
        fed = {self._image.name: cover, self._secret.name: bits[np.newaxis].astype(np.float32)}
        return np.asarray(self._encoder.run([self._encoder.get_outputs()[0].name], fed)[0], np.float32)

    def decode(self, picture: Picture) -> Bits:
        """The 100 bits that are likeliest."""
        answer = self._decoder.run([self._decoder.get_outputs()[0].name], {self._taken.name: picture})[0]
        return (np.asarray(answer).reshape(PACKET_BITS) > 0).astype(np.uint8)

    def _try_out(self, files: NetworkFiles) -> None:
        """Files may leave the shapes of their outputs open: what comes out shows them."""
        cover, picture = (np.zeros((1, 3, side, side), np.float32) for side in (self.encoder_side, self.decoder_side))
        try:
            fits = self.encode(cover, np.zeros(PACKET_BITS, np.uint8)).shape == cover.shape
        except Exception:  # noqa: BLE001 - onnxruntime's errors share no base but Exception
            fits = False
        if not fits:
            raise _unfit(files.encoder)
        try:
            self.decode(picture)
        except Exception as error:  # its errors share no base but Exception
            raise _unfit(files.decoder) from error


def _encoder_inputs(session: Any, file: Path) -> tuple[Any, Any]:
    """The picture and the bits, told apart by their shapes: exporters name them as they like."""
    inputs = session.get_inputs()
    pictures, secrets = [each for each in inputs if _is_picture(each)], [each for each in inputs if _is_secret(each)]
    if len(inputs) != 2 or len(pictures) != 1 or len(secrets) != 1:
        raise _unfit(file)
    return pictures[0], secrets[0]


def _decoder_input(session: Any, file: Path) -> Any:
    inputs = session.get_inputs()
    if len(inputs) != 1 or not _is_picture(inputs[0]):
        raise _unfit(file)
    return inputs[0]


def _is_picture(taken: Any) -> bool:
    return taken.type == "tensor(float)" and len(taken.shape) == 4 and taken.shape[1] == 3


def _is_secret(taken: Any) -> bool:
    return taken.type == "tensor(float)" and len(taken.shape) == 2 and taken.shape[1] == PACKET_BITS


def _side(taken: Any) -> int | None:
    *_, height, width = taken.shape
    return height if isinstance(height, int) and height == width else None


def _unfit(file: Path) -> ConfigurationError:
    return ConfigurationError(f"trustmark: {file.name} is no network of TrustMark's with {PACKET_BITS} bits")


def _session(file: Path, digest: str) -> Any:
    content = _pinned(file, digest)
    try:
        import onnxruntime
    except ImportError:
        raise ConfigurationError("trustmark-onnx needs onnxruntime: pip install 'darkroom[trustmark]'") from None
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = options.inter_op_num_threads = 1  # no pool of threads, which a fork would lose
    with TemporaryDirectory(prefix="darkroom-nothing-beside-") as empty:
        options.add_session_config_entry(_BESIDE, empty)
        try:
            return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # its errors share no base but Exception
            raise _unfit(file) from error


def _pinned(file: Path, digest: str) -> bytes:
    try:
        content = file.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"trustmark: {file.name} cannot be read") from error
    if sha256(content).hexdigest() != digest:
        raise ConfigurationError(f"trustmark: the SHA-256 of {file.name} is another than is set")
    return content
