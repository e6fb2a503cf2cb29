"""The durable way back: one record a mark, found by the id in the pixels, and the signed manifest it names."""

import base64
import hashlib
import hmac
import re
from collections.abc import AsyncIterator
from typing import Annotated, Final, Literal, Protocol

from pydantic import Field, TypeAdapter, ValidationError

from darkroom.contract.base import Settled
from darkroom.errors import NotStored, StoreError
from darkroom.provenance.record_keys import expiring_key, manifest_key, mark_key

JSON: Final = "application/json"
C2PA: Final = "application/c2pa"
TEXT: Final = "text/plain"
MOST_SALTS: Final = 16  # 48-bit ids of even 2^32 pictures never collide this often
LABEL_PATTERN: Final = "urn:c2pa:[A-Za-z0-9-]{1,64}"
_LABEL: Final = re.compile(LABEL_PATTERN)


class RecordStore(Protocol):
    """The two methods of an object store that records need."""

    async def put(self, key: str, data: bytes, *, media_type: str, if_absent: bool = False) -> bool: ...

    async def get(self, key: str) -> bytes: ...


class Reservation(Settled):
    """A mark id that belongs to one picture of one job, which may not exist yet."""

    kind: Literal["reserved"] = "reserved"
    watermark_id: str
    job_id: str
    index: int


class Record(Settled):
    """A picture that was stamped. `watermark_id` is 12 hex digits, `thumbnail` a grey WebP in base64. `parents` are
    the marks that were found in the pictures it was made from. `weak`: its mark survives less than it should."""

    kind: Literal["issued"] = "issued"
    watermark_id: str
    alg: str
    key_id: str
    manifest_id: str
    job_id: str
    index: int
    tenant: str
    sha256: str
    media_type: str
    width: int
    height: int
    created_at: float
    thumbnail: str
    parents: tuple[str, ...] = ()
    weak: bool = False

    @property
    def thumbnail_webp(self) -> bytes:
        return base64.b64decode(self.thumbnail)


_Entry = TypeAdapter[Reservation | Record](Annotated[Reservation | Record, Field(discriminator="kind")])


class Records:
    """Marks and manifests in a store. The secret makes ids that nobody can foretell from a job's id."""

    def __init__(self, store: RecordStore, secret: bytes, *older: bytes) -> None:
        """`older` secrets drew ids before: an attempt at a picture of that time must come to the same one."""
        self._store = store
        self._key, *self._older = (hashlib.sha256(b"darkroom/mark-ids\0" + each).digest() for each in (secret, *older))

    async def reserve(self, job_id: str, index: int) -> int:
        """The mark id of this picture: the same for every attempt at it, and no other picture's.

        Raises: StoreError, StoreUnavailable.
        """
        for key in self._older:
            mark_id = _draw(key, job_id, index, 0)
            if await self._held(mark_id, job_id, index):
                return mark_id
        for salt in range(MOST_SALTS):
            mark_id = _draw(self._key, job_id, index, salt)
            entry = Reservation(watermark_id=watermark_id(mark_id), job_id=job_id, index=index)
            if await self._store.put(mark_key(watermark_id(mark_id)), _json(entry), media_type=JSON, if_absent=True):
                return mark_id
            if await self._held(mark_id, job_id, index):
                return mark_id
        raise StoreError("no free watermark id was found")

    async def drawn(self, job_id: str, index: int) -> AsyncIterator[int]:
        """The mark ids that this picture was given, one by each secret at most.

        Raises: StoreError, StoreUnavailable.
        """
        for key in (self._key, *self._older):
            for mark_id in (_draw(key, job_id, index, salt) for salt in range(MOST_SALTS)):
                holder = await self._entry(mark_id)
                if holder and (holder.job_id, holder.index) == (job_id, index):
                    yield mark_id
                    break
                if holder is None:
                    break

    def first_choice(self, job_id: str, index: int) -> int:
        """The id that `reserve` will come to, unless it is taken: of 2^48 ids, who has given out a million has one in
        300 million taken."""
        return _draw(self._key, job_id, index, 0)

    async def _held(self, mark_id: int, job_id: str, index: int) -> bool:
        holder = await self._entry(mark_id)
        return holder is not None and (holder.job_id, holder.index) == (job_id, index)

    async def keep_manifest(self, record: Record, manifest: bytes) -> None:
        """Store the manifest that a record is to name, before the picture that bears it.

        First comes a note of the day, so that nothing is kept that retention would not find.
        """
        note = expiring_key(record.watermark_id, record.manifest_id, record.created_at)
        await self._store.put(note, b"", media_type=TEXT)
        await self._store.put(manifest_key(record.manifest_id), manifest, media_type=C2PA)

    async def put(self, record: Record) -> None:
        """Say which manifest the reserved id leads to, after its picture is stored."""
        await self._store.put(mark_key(record.watermark_id), _json(record), media_type=JSON)

    async def find(self, mark_id: int) -> Record | None:
        """The record of a mark; None for ids never issued. Raises: StoreUnavailable."""
        entry = await self._entry(mark_id)
        return entry if isinstance(entry, Record) else None

    async def manifest(self, manifest_id: str) -> bytes | None:
        """A manifest that was kept; None for one that was not. Raises: StoreUnavailable."""
        if not is_label(manifest_id):
            return None
        try:
            return await self._store.get(manifest_key(manifest_id))
        except NotStored:
            return None

    async def _entry(self, mark_id: int) -> Reservation | Record | None:
        try:
            return _Entry.validate_json(await self._store.get(mark_key(watermark_id(mark_id))))
        except NotStored:
            return None
        except ValidationError as error:
            raise StoreError(f"the record of watermark {watermark_id(mark_id)} is damaged") from error


def _draw(key: bytes, job_id: str, index: int, salt: int) -> int:
    digest = hmac.digest(key, f"{job_id}/{index}/{salt}".encode(), "sha256")
    return int.from_bytes(digest[:6], "big")


def watermark_id(mark_id: int) -> str:
    """Twelve hex digits, as callers see it."""
    return f"{mark_id:012x}"


def is_label(text: str) -> bool:
    """Whether this can be the label of a manifest."""
    return _LABEL.fullmatch(text) is not None


def _json(entry: Reservation | Record) -> bytes:
    return entry.model_dump_json().encode()
