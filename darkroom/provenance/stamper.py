"""The one way out: watermark, encode, sign, and read both back from the final bytes. What does not read back stays."""

import asyncio
import base64
import hashlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, NamedTuple, Self

from darkroom import crash
from darkroom.contract.plan import MEDIA_TYPES, GenerationPlan
from darkroom.errors import BadPicture, StoreError, UnmarkedOutput, UnsignedOutput
from darkroom.infotext.writing import infotext
from darkroom.provenance.ancestry import carried
from darkroom.provenance.credential import Credential, CredentialReader
from darkroom.provenance.encoding import encode
from darkroom.provenance.facts import Facts, Stamped
from darkroom.provenance.identity import SigningIdentity
from darkroom.provenance.issuing import Issue
from darkroom.provenance.manifest import manifest
from darkroom.provenance.pictures import decode, size
from darkroom.provenance.policy import OMIT, Policy
from darkroom.provenance.records import Record, Records, RecordStore, watermark_id
from darkroom.provenance.signing import CredentialSigner, Signed
from darkroom.provenance.similarity import thumbnail
from darkroom.provenance.times import Times
from darkroom.provenance.timestamping import TimestampAuthority
from darkroom.provenance.trust import Trust
from darkroom.provenance.watermark import RGB, UNMARKED, Watermarker
from darkroom.provenance.xmp import packet

ENOUGH_QUALITY: Final = (60, 75, 90)  # tried in turn when the quality asked for leaves nothing of the mark


Stage = Callable[[str], AbstractContextManager[None]]
"""Entered by name around watermark, encode, sign, read_back and store, on whatever thread they run."""


def unwatched(_stage: str) -> AbstractContextManager[None]:
    """For who does not ask how long the stages take."""
    return nullcontext()


class _Read(NamedTuple):
    """What was read back from a file: its pixels, and the key that reads their mark."""

    rgb_HWC: RGB
    key_id: str


@dataclass(frozen=True)
class _Origin:
    """What a record tells of a picture besides what is read from its file."""

    mark_id: int
    job_id: str
    index: int
    tenant: str
    media_type: str
    created_at: float
    parents: tuple[str, ...]

    @classmethod
    def of(cls, facts: Facts, mark_id: int) -> Self:
        return cls(
            mark_id,
            facts.job_id,
            facts.index,
            facts.tenant,
            MEDIA_TYPES[facts.plan.output_format],
            facts.created_at,
            tuple(parent for each in facts.inputs for parent in each.parent),
        )

    @classmethod
    def of_record(cls, record: Record) -> Self:
        mark_id = int(record.watermark_id, 16)
        whose = record.job_id, record.index, record.tenant
        return cls(mark_id, *whose, record.media_type, record.created_at, record.parents)


class Stamper:
    """Stamps for one identity. Stamping is CPU work for any thread; `issue` is a picture's whole way."""

    def __init__(
        self,
        watermarker: Watermarker,
        identity: SigningIdentity,
        records: Records,
        policy: Policy = OMIT,
        authority: TimestampAuthority | None = None,
        stage: Stage = unwatched,
    ) -> None:
        self._stage = stage
        self._watermarker = watermarker
        self._records = records
        self._policy = policy
        self._identity = identity
        self._timed = authority is not None
        self._signer = CredentialSigner(identity, times=Times(identity, authority) if authority else None)
        self._reader = CredentialReader(Trust.of(identity.anchor_pem))

    @property
    def waits(self) -> bool:
        """Whether stamping is not CPU work alone: somebody else signs."""
        return self._signer.waits

    @property
    def algorithm(self) -> str:
        """COSE's name of how pictures are signed."""
        return self._identity.algorithm

    @property
    def expires_at(self) -> datetime:
        """When the first certificate of the signing chain runs out."""
        return self._identity.expires_at

    def check_signer(self) -> None:
        """Raises: SigningUnavailable; ConfigurationError where pictures would be signed by another key."""
        self._signer.check()

    async def close(self) -> None:
        """Give connections to signer and timestamp authority back."""
        await asyncio.to_thread(self._signer.close)

    async def issue(self, rgb_HWC: RGB, facts: Facts, store: RecordStore, key: str) -> Stamped:
        """Stamp a picture and store it under `key`, once, however many attempts come to this.

        Whoever stores the picture first wins; later attempts adopt what is there. The manifest is stored before the
        picture and the record after it, so a stored picture always has its manifest, and a record its picture.

        Raises: UnmarkedOutput, UnsignedOutput, SigningUnavailable, GenerationError, StoreError, StoreUnavailable.
        """
        return await Issue(self, rgb_HWC, facts).stored(store, key)

    async def reserve(self, facts: Facts) -> int:
        """The mark id of this picture. Raises: StoreError, StoreUnavailable."""
        return await self._records.reserve(facts.job_id, facts.index)

    def stamp_unreserved(self, rgb_HWC: RGB, facts: Facts) -> Stamped:
        """Stamp while the store is away, with the id that the picture will get unless chance has it that another's
        picture holds it already: `deliver` finds out. Raises: as `stamp`."""
        return self.stamp(rgb_HWC, facts, self._records.first_choice(facts.job_id, facts.index))

    async def deliver(self, stamped: Stamped, store: RecordStore, key: str) -> Stamped:
        """Store what was stamped before, as `issue` would have; may be called again after it failed.

        Raises: as `issue`; StoreError when the id that it bears is another picture's.
        """
        mark_id = await self._records.reserve(stamped.record.job_id, stamped.record.index)
        if watermark_id(mark_id) != stamped.record.watermark_id:
            raise StoreError("the picture was marked with an id that belongs to another")
        return await self.keep(stamped, store, key)

    async def keep(self, stamped: Stamped, store: RecordStore, key: str) -> Stamped:
        """Store what bears a reserved id. Raises: as `issue`."""
        with self._stage("store"):
            return await self._kept(stamped, store, key)

    async def _kept(self, stamped: Stamped, store: RecordStore, key: str) -> Stamped:
        await self._records.keep_manifest(stamped.record, stamped.manifest)
        if not await store.put(key, stamped.data, media_type=stamped.media_type, if_absent=True):
            # Equal pixels need equal quality and an equal mark, so the file that is there has those just made.
            kept = await asyncio.to_thread(self._adopted, await store.get(key), stamped.record)
            stamped = replace(_told(kept, weak=stamped.record.weak), quality=stamped.quality)
        crash.here("after_upload")
        await self._records.put(stamped.record)
        return stamped

    def stamp(self, rgb_HWC: RGB, facts: Facts, mark_id: int) -> Stamped:
        """Raises: UnmarkedOutput, UnsignedOutput, SigningUnavailable; GenerationError when it cannot be encoded."""
        label = self._policy.label_on(facts.plan)
        with self._stage("watermark"):
            marked = self._watermarker.embed(label.drawn(rgb_HWC) if label else rgb_HWC, mark_id)
        crash.here("after_watermark")
        height, width = rgb_HWC.shape[:2]
        told = replace(facts, size=(width, height))
        definition = manifest(told, self._watermarker.alg, self._watermarker.value(mark_id), self._policy)
        *others, last = _qualities(facts.plan)
        for quality in others:
            with suppress(UnmarkedOutput):
                return _told(self._at(quality, marked.rgb_HWC, facts, mark_id, definition), marked.weak)
        return _told(self._at(last, marked.rgb_HWC, facts, mark_id, definition), marked.weak)

    def _adopted(self, data: bytes, ours: Record) -> Stamped:
        """What an earlier attempt stored for the same picture, held to the same rules. Raises: as `stamp`."""
        return self._finish(Signed(data, b""), _Origin.of_record(ours))

    def _at(self, quality: int, marked: RGB, facts: Facts, mark_id: int, definition: dict[str, object]) -> Stamped:
        stamped = self._finish(self._signed(marked, facts, quality, definition), _Origin.of(facts, mark_id))
        return stamped if facts.plan.output_format == "png" else replace(stamped, quality=quality)

    def _signed(self, marked: RGB, facts: Facts, quality: int, definition: dict[str, object]) -> Signed:
        output_format = facts.plan.output_format
        words = packet(facts.plan.task, facts.title, self._policy.producer)
        text = infotext(facts.plan, facts.index) if facts.plan.infotext else ""
        with self._stage("encode"):
            encoded = encode(marked, output_format, quality, words, text)
        with self._stage("sign"):
            return self._signer.sign(encoded, MEDIA_TYPES[output_format], definition, carried(facts.inputs))

    def _finish(self, signed: Signed, origin: _Origin) -> Stamped:
        with self._stage("read_back"):
            read = self._read_mark(signed.data, origin.mark_id)
            credential = self._read_credential(signed.data, origin.media_type, origin.mark_id)
        manifest_id = credential.manifest_id or ""
        record = self._record(signed.data, read, manifest_id, origin)
        return Stamped(
            data=signed.data,
            media_type=record.media_type,
            sha256=record.sha256,
            width=record.width,
            height=record.height,
            watermark_id="" if self._watermarker.alg == UNMARKED else record.watermark_id,
            manifest_id=manifest_id,
            manifest=signed.manifest,
            record=record,
            timestamped=credential.timestamp is not None if self._timed else None,
        )

    def _read_mark(self, data: bytes, mark_id: int) -> _Read:
        try:
            rgb_HWC = decode(data)
        except BadPicture as error:
            raise UnmarkedOutput("the finished file is not a picture that can be read") from error
        if self._watermarker.alg == UNMARKED:
            return _Read(rgb_HWC, UNMARKED)
        mark = self._watermarker.identify(rgb_HWC)
        if mark is None or mark.mark_id != mark_id:
            raise UnmarkedOutput("the watermark does not read back from the finished file")
        return _Read(rgb_HWC, mark.key_id)

    def _read_credential(self, data: bytes, media_type: str, mark_id: int) -> Credential:
        credential = self._reader.read(data, media_type)
        if credential is None or not credential.holds or credential.manifest_id is None:
            raise UnsignedOutput("the credential does not read back from the finished file")
        if credential.marks != self._bindings(mark_id):
            raise UnsignedOutput("the credential names another watermark than the picture bears")
        return credential

    def _bindings(self, mark_id: int) -> tuple[tuple[str, int], ...]:
        return () if self._watermarker.alg == UNMARKED else ((self._watermarker.alg, mark_id),)

    def _record(self, data: bytes, read: _Read, manifest_id: str, origin: _Origin) -> Record:
        width, height = size(data)
        return Record(
            watermark_id=watermark_id(origin.mark_id),
            alg=self._watermarker.alg,
            key_id=read.key_id,
            manifest_id=manifest_id,
            job_id=origin.job_id,
            index=origin.index,
            tenant=origin.tenant,
            sha256=hashlib.sha256(data).hexdigest(),
            media_type=origin.media_type,
            width=width,
            height=height,
            created_at=origin.created_at,
            parents=origin.parents,
            thumbnail=base64.b64encode(thumbnail(read.rgb_HWC)).decode(),
        )


def _told(stamped: Stamped, weak: bool) -> Stamped:
    """Only who marked a picture knows whether its mark is weak: it cannot be told from the file."""
    return replace(stamped, record=stamped.record.model_copy(update={"weak": weak}))


def _qualities(plan: GenerationPlan) -> Iterator[int]:
    """The quality asked for, then those that keep the mark: a larger file beats none, and beats an unmarked one."""
    yield plan.output_compression
    if plan.output_format != "png":
        yield from (quality for quality in ENOUGH_QUALITY if quality > plan.output_compression)
