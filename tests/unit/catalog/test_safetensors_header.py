"""Which files are sound, told from their headers."""

import json
import time
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from darkroom.catalog.safetensors_header import MAX_TENSORS, UnsoundHeader, read_header
from tests.unit.catalog.conftest import safetensors, tensor


def header_of(path: Path, data: bytes) -> dict[str, object]:
    path.write_bytes(data)
    return dict(read_header(path))


def test_tensors_end_to_end_are_sound(tmp_path: Path) -> None:
    header = {"__metadata__": {"format": "pt"}, "b": tensor([2], 8), "a": tensor([2], 0), "empty": tensor([0], 8)}
    assert set(header_of(tmp_path / "w", safetensors(header, b"\0" * 16))) == {"a", "b", "empty"}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x05\0\0",
        (2**63).to_bytes(8, "little") + b"{}",
        (100).to_bytes(8, "little") + b"{}",
        (2).to_bytes(8, "little") + b"[]",
        (2).to_bytes(8, "little") + b"{x",
        (100_000).to_bytes(8, "little") + b"[" * 100_000,
        safetensors({"a": 1}, b""),
        safetensors({"a": {**tensor([1], 0), "more": 1}}, b"\0" * 4),
        safetensors({"a": tensor([1], 0, dtype="F128")}, b"\0" * 4),
        safetensors({"a": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}}, b"\0" * 4),
        safetensors({"a": {"dtype": "F32", "shape": [True], "data_offsets": [0, 4]}}, b"\0" * 4),
        safetensors({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4, 8]}}, b"\0" * 4),
        safetensors({"a": tensor([2], 0)}, b"\0" * 4),
        safetensors({"a": tensor([1], 0)}, b"\0" * 8),
        safetensors({"a": tensor([2], 0), "b": tensor([2], 4)}, b"\0" * 12),
        safetensors({"a": tensor([1], 0), "b": tensor([1], 8)}, b"\0" * 12),
        safetensors({"a": {"dtype": "F32", "shape": [2**62, 2**62], "data_offsets": [0, 4]}}, b"\0" * 4),
    ],
)
def test_unsound_files_are_refused(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(UnsoundHeader):
        header_of(tmp_path / "w", data)


def test_too_many_tensors_are_refused(tmp_path: Path) -> None:
    header = {str(number): tensor([0], 0) for number in range(MAX_TENSORS + 1)}
    with pytest.raises(UnsoundHeader, match="tensors"):
        header_of(tmp_path / "w", safetensors(header, b""))


@pytest.mark.parametrize(
    "fields",
    [
        {**tensor([0], 0), "shape": [9] * 80_000},  # their product took a second
        {**tensor([0], 0), **{str(number): 0 for number in range(80_000)}},
        {**tensor([0], 0), "shape": [0, 2**63]},
    ],
)
def test_a_header_of_too_much_costs_no_more_than_its_size(tmp_path: Path, fields: dict[str, object]) -> None:
    data = safetensors({"a": fields}, b"")
    begun = time.thread_time()
    with pytest.raises(UnsoundHeader, match=r"'a[.shape10]*' is malformed"):
        header_of(tmp_path / "w", data)
    assert time.thread_time() - begun < 0.1


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises((UnsoundHeader, OSError)):
        read_header(tmp_path)


@pytest.mark.slow
@settings(deadline=None, max_examples=50)
@given(st.binary(max_size=200) | st.dictionaries(st.text(), st.lists(st.integers())).map(lambda d: safetensors(d, b"")))
def test_no_bytes_do_anything_but_pass_or_be_refused_in_our_words(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzzed"
    path.write_bytes(data)
    with suppress(UnsoundHeader):
        read_header(path)


def test_the_words_of_an_error_are_short(tmp_path: Path) -> None:
    with pytest.raises(UnsoundHeader) as raised:
        header_of(tmp_path / "w", safetensors({"x" * 100_000: json.loads("1")}, b""))
    assert len(str(raised.value)) < 300
