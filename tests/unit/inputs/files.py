"""Picture files of every kind."""

import io
import struct
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def scene(width: int = 24, height: int = 16) -> NDArray[np.uint8]:
    """H W 3: a smooth picture whose four corners differ."""
    across, down = np.linspace(0, 255, width), np.linspace(0, 255, height)
    red = np.broadcast_to(across, (height, width))
    green = np.broadcast_to(down[:, None], (height, width))
    return np.stack([red, green, np.full((height, width), 90)], axis=2).astype(np.uint8)


def saved(picture: Image.Image | NDArray[Any], kind: str = "PNG", **options: Any) -> bytes:
    picture = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def png_header(width: int, height: int) -> bytes:
    """A PNG that says how large it is, and nothing else."""
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    return b"\x89PNG\r\n\x1a\n" + chunk + b"\0\0\0\0IDAT" + struct.pack(">I", zlib.crc32(b"IDAT"))
