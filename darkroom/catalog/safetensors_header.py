"""Is this a sound safetensors file? Answered from its header alone, before anything is allocated for its tensors.

Format: https://github.com/huggingface/safetensors#format: eight bytes little-endian N, N bytes of JSON, then the data.
Limits are ours: the reference reader spends a minute on 20 MB of empty tensors, which no checkpoint has.
"""

import json
import os
import stat
import struct
from math import prod
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, FailFast, Field, TypeAdapter, ValidationError

MAX_HEADER_BYTES = 8 * 1024 * 1024
MAX_TENSORS = 5_000
MAX_FLOATS_BYTES = 64 * 1024

_BITS = {
    "BOOL": 8,
    "U8": 8,
    "I8": 8,
    "F8_E4M3": 8,
    "F8_E5M2": 8,
    "I16": 16,
    "U16": 16,
    "F16": 16,
    "BF16": 16,
    "I32": 32,
    "U32": 32,
    "F32": 32,
    "I64": 64,
    "U64": 64,
    "F64": 64,
}

_FLOATS = {"F16": "<e", "BF16": "<f", "F32": "<f"}

# Of more sides there is no tensor; multiplying a million numbers takes minutes.
_MAX_SIDES = 8
_Count = Annotated[int, Field(ge=0, lt=2**63)]


class UnsoundHeader(ValueError):
    """Why a file is not a safetensors file we would open."""


class TensorHeader(BaseModel):
    """`data_offsets` are [begin, end) within the data, in bytes."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    dtype: str
    shape: Annotated[list[_Count], Field(max_length=_MAX_SIDES), FailFast()]
    data_offsets: Annotated[list[_Count], Field(min_length=2, max_length=2), FailFast()]


_HEADER = TypeAdapter(dict[str, TensorHeader])


def read_header(path: Path) -> dict[str, TensorHeader]:
    """Every tensor of the file at `path`, checked. Raises: UnsoundHeader, OSError."""
    header, data_bytes = _read(path)
    tensors = _tensors(_parse(header))
    _check_layout(tensors, data_bytes)
    return tensors


def read_metadata(path: Path) -> dict[str, str]:
    """What the program that wrote the file says of it. Raises: UnsoundHeader, OSError."""
    metadata = _parse(_read(path)[0]).get("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise UnsoundHeader("its metadata is not an object of strings")
    return metadata


def _read(path: Path) -> tuple[bytes, int]:
    """The header's JSON, and how many bytes of data follow it."""
    # O_NONBLOCK: opening a FIFO somebody left in the place of a file must not hang.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    with open(descriptor, "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise UnsoundHeader("not a regular file")
        prefix = file.read(8)
        if len(prefix) < 8:
            raise UnsoundHeader("shorter than its eight byte prefix")
        size = int.from_bytes(prefix, "little")
        if size > min(MAX_HEADER_BYTES, status.st_size - 8):
            raise UnsoundHeader(f"header of {size} bytes is larger than the file or than {MAX_HEADER_BYTES} bytes")
        return file.read(size), status.st_size - 8 - size


def _parse(header: bytes) -> dict[str, Any]:
    try:
        fields = json.loads(header)
    except (ValueError, RecursionError) as error:
        raise UnsoundHeader("header is not JSON") from error
    if not isinstance(fields, dict):
        raise UnsoundHeader("header is not a JSON object")
    return fields


def _tensors(fields: dict[str, Any]) -> dict[str, TensorHeader]:
    fields.pop("__metadata__", None)
    if len(fields) > MAX_TENSORS:
        raise UnsoundHeader(f"{len(fields)} tensors, more than {MAX_TENSORS}")
    # Counted first: a validator says something of each of a million fields that should not be there.
    for name, entry in fields.items():
        if isinstance(entry, dict) and len(entry) > len(TensorHeader.model_fields):
            raise UnsoundHeader(f"header entry {name[:120]!r} is malformed")
    try:
        return _HEADER.validate_python(fields)
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise UnsoundHeader(f"header entry {where[:120]!r} is malformed") from error


def _check_layout(tensors: dict[str, TensorHeader], data_bytes: int) -> None:
    """Tensors lie end to end and fill the data exactly, so that no two overlap and nothing hides between them."""
    position = 0
    for name, tensor in sorted(tensors.items(), key=lambda item: item[1].data_offsets):
        bits = _BITS.get(tensor.dtype)
        if bits is None:
            raise UnsoundHeader(f"tensor {name[:120]!r} has an unknown dtype")
        begin, end = tensor.data_offsets
        if begin != position or (end - begin) * 8 != bits * prod(tensor.shape):
            raise UnsoundHeader(f"tensor {name[:120]!r} does not lie where its shape says")
        position = end
    if position != data_bytes:
        raise UnsoundHeader(f"{data_bytes} bytes of data where the header speaks of {position}")


def read_floats(path: Path, name: str) -> tuple[float, ...]:
    """One small tensor of half or single precision, without any other. Raises: UnsoundHeader, OSError."""
    tensor = read_header(path)[name]
    begin, end = tensor.data_offsets
    if tensor.dtype not in _FLOATS or end - begin > MAX_FLOATS_BYTES:
        raise UnsoundHeader(f"tensor {name[:120]!r} is not a few numbers of half or single precision")
    with path.open("rb") as file:
        start = 8 + int.from_bytes(file.read(8), "little")
        file.seek(start + begin)
        raw = file.read(end - begin)
    if tensor.dtype == "BF16":  # the upper half of single precision
        raw = b"".join(b"\0\0" + raw[place : place + 2] for place in range(0, len(raw), 2))
    return tuple(number for (number,) in struct.iter_unpack(_FLOATS[tensor.dtype], raw))
