"""Signing a file with a C2PA manifest."""

import io
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

import c2pa

from darkroom.errors import UnsignedOutput
from darkroom.provenance.identity import SigningIdentity
from darkroom.provenance.trust import PerProcess, Trust

Json = dict[str, Any]

_NOTHING: Final = "http://cv.iptc.org/newscodes/digitalsourcetype/algorithmicMedia"
_SMALL: Final = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b55"
    "0000000a49444154789c6360000000020001e527defc0000000049454e44ae426082"
)  # a PNG of one black pixel


class Signed(NamedTuple):
    """The file with its manifest embedded, and the manifest store alone."""

    data: bytes
    manifest: bytes


class Carried(NamedTuple):
    """A file whose own credential goes into the manifest, with the ingredient that says so."""

    ingredient: Json
    media_type: str
    data: bytes


class _Tools(NamedTuple):
    context: c2pa.Context
    signer: c2pa.Signer


class CredentialSigner:
    """Signs for one identity, from any thread of any process."""

    def __init__(self, identity: SigningIdentity) -> None:
        self._identity = identity
        self._tools = PerProcess(self._build)

    def sign(self, data: bytes, media_type: str, manifest: Json, carried: Iterable[Carried] = ()) -> Signed:
        """Raises: UnsignedOutput."""
        signed = io.BytesIO()
        try:
            tools = self._tools.get()
            with c2pa.Builder(manifest, context=tools.context) as builder:
                for each in carried:
                    builder.add_ingredient(each.ingredient, each.media_type, io.BytesIO(each.data))
                store = builder.sign(tools.signer, media_type, io.BytesIO(data), signed)
        except c2pa.C2paError as error:
            raise UnsignedOutput("the picture could not be signed") from error
        return Signed(signed.getvalue(), store)

    def weight(self, carried: Iterable[Carried]) -> int:
        """Bytes of a manifest that says nothing but what it carries. Raises: UnsignedOutput when it cannot."""
        opened = {"action": "c2pa.created", "digitalSourceType": _NOTHING}
        actions = {"label": "c2pa.actions.v2", "created": True, "data": {"actions": [opened]}}
        return len(self.sign(_SMALL, "image/png", {"assertions": [actions]}, carried).manifest)

    def _build(self) -> _Tools:
        identity = self._identity
        info = c2pa.C2paSignerInfo(identity.algorithm, identity.chain_pem.encode(), identity.key_pem.encode(), None)
        return _Tools(Trust.of(identity.anchor_pem).context(), c2pa.Signer.from_info(info))
