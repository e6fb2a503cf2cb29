"""From bytes to evidence, in this process."""

import asyncio
import hashlib
from collections.abc import Sequence
from typing import IO, Final, Protocol

from darkroom.provenance.carrying import Carrier, InputCredential, Taken
from darkroom.provenance.credential import DETACHED, Credential, CredentialReader, Standing
from darkroom.provenance.inspection.evidence import Evidence, View
from darkroom.provenance.pictures import Undecodable, decode, media_type
from darkroom.provenance.similarity import upright_view
from darkroom.provenance.trust import Trust
from darkroom.provenance.watermark import Watermarker

ELSEWHERE: Final = b"dcterms:provenance"  # XMP's name for the address of a manifest (C2PA 2.2, 11.4)


class Inspector(Protocol):
    """Somebody who looks at files."""

    async def inspect(self, picture: IO[bytes]) -> Evidence:
        """What the file shows, from its first byte on.

        Raises: BadPicture for what is no picture we read; CapacityError when it cannot be looked at now.
        """
        ...

    async def read(self, store: bytes) -> Credential:
        """What a manifest store of ours says, in which those of strangers may be carried on. Raises: as `inspect`."""
        ...


class CarryingInspector(Inspector, Protocol):
    """One that also takes the credentials of inputs out of their files, for pictures that are made from them."""

    async def take(self, picture: IO[bytes]) -> Taken:
        """The file's credential, or why it cannot be carried on. Raises: as `inspect`."""
        ...

    async def fit(self, credentials: Sequence[InputCredential]) -> bool:
        """Whether one manifest can carry all of them. Raises: as `inspect`."""
        ...


class InspectorHere:
    """Looks in a thread of this process: for the child of `process`, and for whoever has nothing else to do."""

    def __init__(self, watermarker: Watermarker, trust: Trust) -> None:
        self._watermarker = watermarker
        self._reader = CredentialReader(trust)
        self.carrier = Carrier(trust)

    async def inspect(self, picture: IO[bytes]) -> Evidence:
        return await asyncio.to_thread(self.evidence, picture.read())

    async def read(self, store: bytes) -> Credential:
        return await asyncio.to_thread(self.kept, store)

    def kept(self, store: bytes) -> Credential:
        """As `read`."""
        return self._reader.read(store, DETACHED) or Credential(Standing.UNREADABLE)

    async def take(self, picture: IO[bytes]) -> Taken:
        return await asyncio.to_thread(self.carrier.take, picture.read())

    async def fit(self, credentials: Sequence[InputCredential]) -> bool:
        return await asyncio.to_thread(self.carrier.fit, credentials)

    def evidence(self, data: bytes) -> Evidence:
        """Raises: BadPicture."""
        credential = self._reader.read(data, media_type(data))
        found = Evidence(
            sha256=hashlib.sha256(data).hexdigest(),
            alg=self._watermarker.alg,
            credential=credential,
            points_elsewhere=credential is None and ELSEWHERE in data,
        )
        try:
            pixels = decode(data)
        except Undecodable:
            if credential is None:
                raise
            return found
        mark = self._watermarker.identify(pixels)
        view = View.of(upright_view(pixels, mark.placement)) if mark else None
        alg = (mark and mark.alg) or found.alg
        return found.model_copy(update={"alg": alg, "mark": mark, "view": view, "decoded": pixels.shape[:2]})
