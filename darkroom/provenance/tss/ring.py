"""The keys of the mark: eight an epoch, all from one secret, and those of earlier epochs and secrets to read by.

Pictures that bear one and the same tile give it away when they are averaged (Mehta et al., arXiv 2406.09026): eight
tiles in turn make that harder, and an epoch bounds what one that leaked is worth. Which of the eight marks a picture is
told by its mark's id, so that every attempt at it comes to the same pixels. It is a check besides: a mark whose id
names another key than the one that read it is none, so eight keys find no more marks by chance than one.
"""

from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from typing import Final, NamedTuple, Self

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from darkroom.errors import ConfigurationError
from darkroom.provenance.tss.carrier import Carrier, carrier
from darkroom.provenance.tss.gates import Gates, gates_for

KEYS_AN_EPOCH: Final = 8
MIN_SECRET: Final = 16  # bytes
WHOLE: Final = 0  # the epoch before there were epochs: the secret itself is the only key


class Epochs(NamedTuple):
    """A secret, and the last epoch in which it marked."""

    secret: bytes
    last: int


@dataclass(frozen=True, eq=False)
class Key:
    """One key. `index` within its epoch; None for a secret that is a key itself."""

    secret: bytes = field(repr=False)
    index: int | None = None

    @cached_property
    def carrier(self) -> Carrier:
        return carrier(self.secret)

    @property
    def id(self) -> str:
        """Names the key without telling it."""
        return sha256(b"org.darkroom.tss.1/key-id\0" + self.secret).hexdigest()[:16]

    def marks(self, mark_id: int) -> bool:
        """Whether a picture with this id is marked by this key, if by any of its epoch."""
        return self.index is None or mark_id % KEYS_AN_EPOCH == self.index


@dataclass(frozen=True)
class KeyRing:
    """What an installation marks with now, and all that it can read by."""

    current: Epochs = field(repr=False)
    older: tuple[Epochs, ...] = field(default=(), repr=False)

    @classmethod
    def of(cls, secret: bytes, epoch: int = WHOLE, *older: Epochs) -> Self:
        """Raises: ConfigurationError for a secret that is too short to be one."""
        for each in (secret, *(old.secret for old in older)):
            if len(each) < MIN_SECRET:
                raise ConfigurationError(f"a watermark secret has at least {MIN_SECRET} bytes")
        return cls(Epochs(secret, epoch), older)

    def marking(self, mark_id: int) -> Key:
        """The key that marks a picture with this id."""
        return next(key for key in self._epoch(self.current.last) if key.marks(mark_id))

    def _epoch(self, epoch: int) -> tuple[Key, ...]:
        return tuple(key for secret, number, key in self._dated if (secret, number) == (self.current.secret, epoch))

    @cached_property
    def reading(self) -> tuple[Key, ...]:
        """Every key there is, the newest first."""
        return tuple(key for _, _, key in self._dated)

    @cached_property
    def gates(self) -> Gates:
        """What a mark must stand out by where all of these keys are tried."""
        return gates_for(len({(secret, epoch) for secret, epoch, _ in self._dated}))

    @cached_property
    def _dated(self) -> tuple[tuple[bytes, int, Key], ...]:
        return tuple(
            (secret, epoch, key)
            for secret, last in (self.current, *self.older)
            for epoch in range(last, WHOLE - 1, -1)
            for key in keys_of(secret, epoch)
        )


def keys_of(secret: bytes, epoch: int) -> tuple[Key, ...]:
    """The keys of one epoch (HKDF-SHA256, RFC 5869): none of them tells another, or the secret."""
    if epoch == WHOLE:
        return (Key(secret),)
    return tuple(Key(_derived(secret, epoch, index), index) for index in range(KEYS_AN_EPOCH))


def _derived(secret: bytes, epoch: int, index: int) -> bytes:
    return HKDF(SHA256(), 32, salt=None, info=f"org.darkroom.tss.1/{epoch}/{index}".encode()).derive(secret)
