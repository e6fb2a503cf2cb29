"""What c2pa-rs is told to trust, and never to do."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Generic, Self, TypeVar

import c2pa
from cryptography import x509

from darkroom.errors import ConfigurationError

# purposes a leaf may have: email protection, document signing, C2PA claim signing. Unset, c2pa-rs 0.91 calls a leaf
# that has only one of the last two invalid.
PURPOSES: Final = "1.3.6.1.5.5.7.3.4\n1.3.6.1.5.5.7.3.36\n1.3.6.1.4.1.62558.2.1\n"

Tool = TypeVar("Tool")


@dataclass(frozen=True)
class Trust:
    """Roots, in PEM, whose signers are trusted."""

    anchors_pem: str

    @classmethod
    def of(cls, *anchors_pem: str, anchor_files: tuple[Path, ...] = ()) -> Self:
        """These roots, and those in these files. Raises: ConfigurationError."""
        files = [_anchors(path) for path in anchor_files]
        return cls("\n".join([*(anchor.strip() for anchor in anchors_pem), *files]) + "\n")

    def context(self) -> c2pa.Context:
        """Settings for signing and reading: no thumbnails, nothing fetched, our own work checked."""
        return c2pa.Context.from_dict(
            {
                "version": 1,
                "builder": {"thumbnail": {"enabled": False}},
                "trust": {"user_anchors": self.anchors_pem, "trust_config": PURPOSES},
                "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False, "verify_after_sign": True},
            }
        )


def _anchors(path: Path) -> str:
    try:
        text = path.read_text("ascii")
        x509.load_pem_x509_certificates(text.encode())
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{path.name} does not hold PEM certificates") from error
    return text.strip()


class PerProcess(Generic[Tool]):
    """Something native that is dead after a fork: built on first use, again in each process.

    Threads that come at once may build it twice, and all use the first; a lock could be inherited held.
    """

    def __init__(self, build: Callable[[], Tool]) -> None:
        self._build = build
        self._built: dict[int, Tool] = {}

    def get(self) -> Tool:
        process = os.getpid()
        return self._built.get(process) or self._built.setdefault(process, self._build())

    def take(self) -> Tool | None:
        """What this process has built, to be closed by whoever takes it."""
        return self._built.pop(os.getpid(), None)

    def __getstate__(self) -> dict[str, Any]:
        raise TypeError("native tools do not cross processes")
