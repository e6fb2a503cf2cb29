"""Files that hold secrets: whole or absent, readable by their owner alone, made once even when two processes start."""

import fcntl
import os
import secrets
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from darkroom.errors import ConfigurationError

SECRET_BYTES: Final = 32


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Make the folder, and hold its lock: one process at a time, let go when the process ends."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / ".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def write_private(path: Path, data: bytes) -> None:
    """Whole or not at all, mode 0600 from the first byte on."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def read_private(path: Path) -> bytes:
    """Raises: ConfigurationError when the file is missing or others than its owner may read it.

    One of root's may be readable to our group, as secrets of Kubernetes are; PostgreSQL has the same rule for its keys.
    """
    try:
        if _open_to_others(path.stat()):
            raise ConfigurationError(f"{path.name} can be read by others than its owner: chmod 600 it")
        return path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{path.name} cannot be read: {error.strerror}") from error


def _open_to_others(found: os.stat_result) -> bool:
    roots_for_us = found.st_uid == 0 and os.geteuid() != 0
    return bool(stat.S_IMODE(found.st_mode) & (0o037 if roots_for_us else 0o077))


def kept_secret(path: Path) -> bytes:
    """The secret in this file, in hex; made at random the first time. Raises: ConfigurationError."""
    with locked(path.parent):
        if not path.exists():
            write_private(path, secrets.token_hex(SECRET_BYTES).encode())
        return read_secret(path)


def read_secret(path: Path) -> bytes:
    """The secret in this file, in hex. Raises: ConfigurationError, also when there is none."""
    try:
        return bytes.fromhex(read_private(path).decode("ascii").strip())
    except ValueError as error:
        raise ConfigurationError(f"{path.name} does not hold a secret in hex") from error
