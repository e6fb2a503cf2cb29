"""SHA-256 of weight files, remembered: a 7 GB checkpoint takes seconds to hash and rarely changes."""

import hashlib
import json
import os
import tempfile
from contextlib import suppress
from pathlib import Path

_Known = tuple[int, int, str]


class DigestCache:
    """Digests by path, size and mtime; kept in the JSON file `path`, or in memory alone when it is None.

    One that does not `remember` reads that file and leaves it as it is, or absent.
    """

    def __init__(self, path: Path | None = None, *, remember: bool = True) -> None:
        self._path = path if remember else None
        self._known = _load(path) if path else {}

    def sha256(self, file: Path) -> str:
        """Hex digest of `file`. Raises: OSError."""
        key = str(file.resolve())
        status = file.stat()
        known = self._known.get(key)
        if known is not None and known[:2] == (status.st_size, status.st_mtime_ns):
            return known[2]
        with file.open("rb") as opened:
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
        self._known[key] = (status.st_size, status.st_mtime_ns, digest)
        self._save()
        return digest

    def _save(self) -> None:
        if self._path is None:
            return
        # A home that cannot be written costs hashing again at the next start, nothing more.
        with suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            descriptor, temporary = tempfile.mkstemp(dir=self._path.parent, prefix=".digests-")
            with open(descriptor, "w") as file:
                json.dump(self._known, file)
            os.replace(temporary, self._path)


def _load(path: Path) -> dict[str, _Known]:
    """What an earlier process knew; nothing, where the file is absent or not as we write it."""
    try:
        entries = json.loads(path.read_bytes())
        return {str(key): (int(size), int(mtime), str(digest)) for key, (size, mtime, digest) in entries.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
