"""Hashing once."""

import hashlib
import os
from pathlib import Path

import pytest

from darkroom.catalog.digests import DigestCache


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "w.safetensors"
    path.write_bytes(b"weights")
    return path


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Grows by one for each file that is really read."""
    read: list[str] = []
    digest = hashlib.file_digest

    def note(file: object, name: str) -> object:
        read.append(name)
        return digest(file, name)  # type: ignore[arg-type]

    monkeypatch.setattr(hashlib, "file_digest", note)
    return read


def test_the_digest_is_sha256(weights: Path) -> None:
    assert DigestCache().sha256(weights) == hashlib.sha256(b"weights").hexdigest()


def test_a_later_process_does_not_hash_again(weights: Path, tmp_path: Path, hashed: list[str]) -> None:
    first = DigestCache(tmp_path / "home" / "digests.json").sha256(weights)
    assert DigestCache(tmp_path / "home" / "digests.json").sha256(weights) == first
    assert len(hashed) == 1


def test_a_changed_file_is_hashed_again(weights: Path, tmp_path: Path) -> None:
    cache = DigestCache(tmp_path / "digests.json")
    cache.sha256(weights)
    weights.write_bytes(b"WEIGHTS")
    os.utime(weights, ns=(1, 1))
    assert cache.sha256(weights) == hashlib.sha256(b"WEIGHTS").hexdigest()


@pytest.mark.parametrize("damage", [b"", b"[]", b"{", b'{"a": 1}', b'{"a": [1, 2]}', b"\xff"])
def test_a_damaged_memory_is_forgotten(weights: Path, tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "digests.json").write_bytes(damage)
    assert DigestCache(tmp_path / "digests.json").sha256(weights) == hashlib.sha256(b"weights").hexdigest()


def test_a_home_that_cannot_be_written_is_no_reason_to_fail(weights: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    assert DigestCache(tmp_path / "file" / "digests.json").sha256(weights)
