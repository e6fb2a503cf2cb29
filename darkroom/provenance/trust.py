"""What c2pa-rs is told to trust, and never to do."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Generic, Self, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from darkroom.errors import ConfigurationError
from darkroom.provenance.native import c2pa

# purposes a leaf may have: email protection, document signing, C2PA claim signing. Unset, c2pa-rs 0.91 calls a leaf
# that has only one of the last two invalid.
PURPOSES: Final = "1.3.6.1.5.5.7.3.4\n1.3.6.1.5.5.7.3.36\n1.3.6.1.4.1.62558.2.1\n"

Tool = TypeVar("Tool")


@dataclass(frozen=True)
class Trust:
    """Roots, in PEM, whose signers are trusted, and roots whose timestamp authorities are."""

    anchors_pem: str
    timestamps_pem: str = ""

    @classmethod
    def of(cls, *anchors_pem: str, anchor_files: tuple[Path, ...] = (), timestamp_files: tuple[Path, ...] = ()) -> Self:
        """These roots, and those in these files. Raises: ConfigurationError."""
        files = [roots_in(path) for path in anchor_files]
        timestamps = "".join(roots_in(path) + "\n" for path in timestamp_files)
        return cls("\n".join([*(anchor.strip() for anchor in anchors_pem), *files]) + "\n", timestamps)

    @property
    def of_authorities(self) -> Self | None:
        """Those that vouch for timestamps and for no signer, as if they vouched for both; None where there are none."""
        signers = set(_certificates(self.anchors_pem))
        others = [each for each in _certificates(self.timestamps_pem) if each not in signers]
        pem = "".join(each.public_bytes(Encoding.PEM).decode() for each in others)
        return type(self)(pem, self.timestamps_pem) if others else None

    def context(self, *, timed: bool = False) -> c2pa.Context:
        """Settings for signing and reading: no thumbnails, nothing fetched, our own work checked.

        `timed` trusts timestamps, too. Only for who bears in mind that c2pa-rs 0.91 then takes the roots of authorities
        for those of signers.
        """
        authorities = [{"trust_anchors": self.timestamps_pem, "trust_kind": "tsa"}] if timed else []
        return c2pa.Context.from_dict(
            {
                "version": 1,
                "builder": {"thumbnail": {"enabled": False}},
                "trust": {"user_anchors": self.anchors_pem, "trust_config": PURPOSES, "anchors": authorities},
                "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False, "verify_after_sign": True},
            }
        )


def roots_in(path: Path) -> str:
    """PEM certificates. Raises: ConfigurationError."""
    try:
        text = path.read_text("ascii")
        x509.load_pem_x509_certificates(text.encode())
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{path.name} does not hold PEM certificates") from error
    return text.strip()


def _certificates(pem: str) -> list[x509.Certificate]:
    return x509.load_pem_x509_certificates(pem.encode()) if pem.strip() else []


class PerProcess(Generic[Tool]):
    """Something native that is dead after a fork: built on first use, again in each process.

    Threads that come at once may build it twice, and all use the first; a lock could be inherited held. `close` is for
    the second.
    """

    def __init__(self, build: Callable[[], Tool], close: Callable[[Tool], None] = lambda _: None) -> None:
        self._build = build
        self._close = close
        self._built: dict[int, Tool] = {}

    def get(self) -> Tool:
        process = os.getpid()
        if kept := self._built.get(process):
            return kept
        built = self._build()
        kept = self._built.setdefault(process, built)
        if kept is not built:
            self._close(built)
        return kept

    def take(self) -> Tool | None:
        """What this process has built, to be closed by whoever takes it."""
        return self._built.pop(os.getpid(), None)

    def __getstate__(self) -> dict[str, Any]:
        raise TypeError("native tools do not cross processes")
