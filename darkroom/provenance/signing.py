"""Signing a file with a C2PA manifest."""

import io
from typing import NamedTuple

import c2pa

from darkroom.errors import UnsignedOutput
from darkroom.provenance.identity import SigningIdentity
from darkroom.provenance.manifest import Json
from darkroom.provenance.trust import PerProcess, Trust


class Signed(NamedTuple):
    """The file with its manifest embedded, and the manifest store alone."""

    data: bytes
    manifest: bytes


class _Tools(NamedTuple):
    context: c2pa.Context
    signer: c2pa.Signer


class CredentialSigner:
    """Signs for one identity, from any thread of any process."""

    def __init__(self, identity: SigningIdentity) -> None:
        self._identity = identity
        self._tools = PerProcess(self._build)

    def sign(self, data: bytes, media_type: str, manifest: Json) -> Signed:
        """Raises: UnsignedOutput."""
        signed = io.BytesIO()
        try:
            tools = self._tools.get()
            with c2pa.Builder(manifest, context=tools.context) as builder:
                store = builder.sign(tools.signer, media_type, io.BytesIO(data), signed)
        except c2pa.C2paError as error:
            raise UnsignedOutput("the picture could not be signed") from error
        return Signed(signed.getvalue(), store)

    def _build(self) -> _Tools:
        identity = self._identity
        info = c2pa.C2paSignerInfo(identity.algorithm, identity.chain_pem.encode(), identity.key_pem.encode(), None)
        return _Tools(Trust.of(identity.anchor_pem).context(), c2pa.Signer.from_info(info))
