"""Pictures as callers have them."""

import io
import os
from pathlib import Path
from typing import IO, Any, Protocol, TypeAlias


class Drawn(Protocol):
    """A `PIL.Image.Image`, known by what is asked of it: Pillow is not needed for anything else."""

    def save(self, fp: IO[bytes], format: str | None = None) -> Any: ...


Picture: TypeAlias = bytes | Path | Drawn


def bytes_of(picture: Picture) -> bytes:
    """What a file holds, or what it would hold as a PNG. Raises: OSError."""
    if isinstance(picture, bytes):
        return picture
    if isinstance(picture, Path):
        return picture.read_bytes()
    png = io.BytesIO()
    picture.save(png, "PNG")
    return png.getvalue()


def is_picture(value: object) -> bool:
    """Whether it must be uploaded before it can be named. A str is an id, a URL or base64, as the API takes it."""
    return isinstance(value, bytes | Path) or callable(getattr(value, "save", None))


def media_type_of(data: bytes) -> str:
    """The media type a picture's first bytes announce; anything else is left for the gateway to refuse."""
    if data.startswith(b"\x89PNG"):
        return "image/png"
    if data.startswith(b"\xff\xd8"):
        return "image/jpeg"
    return "image/webp" if data[8:12] == b"WEBP" else "application/octet-stream"


def write_whole(path: Path, data: bytes) -> None:
    """Nobody ever sees half a picture under this name. Raises: OSError."""
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_bytes(data)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
