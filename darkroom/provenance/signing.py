"""Signing a file with a C2PA manifest."""

import io
from collections.abc import Iterable
from typing import Any, NamedTuple

import c2pa

from darkroom.errors import UnsignedOutput
from darkroom.provenance.identity import SigningIdentity
from darkroom.provenance.trust import PerProcess, Trust

Json = dict[str, Any]


class Signed(NamedTuple):
    """The file with its manifest embedded, and the manifest store alone."""

    data: bytes
    manifest: bytes


class Carried(NamedTuple):
    """An ingredient with the manifest store of its own credential, which the inspector's child has tried to carry."""

    ingredient: Json
    store: bytes


class _Tools(NamedTuple):
    context: c2pa.Context
    signer: c2pa.Signer


class CredentialSigner:
    """Signs for one identity, from any thread of any process. `trust` is for what it checks of its own work."""

    def __init__(self, identity: SigningIdentity, trust: Trust | None = None) -> None:
        self._identity = identity
        self._trust = trust or Trust.of(identity.anchor_pem)
        self._tools = PerProcess(self._build)

    def sign(self, data: bytes, media_type: str, manifest: Json, carried: Iterable[Carried] = ()) -> Signed:
        """Raises: UnsignedOutput."""
        signed = io.BytesIO()
        stores = {f"{each.ingredient['label']}.c2pa": each for each in carried}
        ingredients = [_with_store(each.ingredient, name) for name, each in stores.items()]
        said = {**manifest, "ingredients": [*manifest.get("ingredients", ()), *ingredients]}
        try:
            tools = self._tools.get()
            with c2pa.Builder(said, context=tools.context) as builder:
                for name, each in stores.items():
                    builder.add_resource(name, io.BytesIO(each.store))
                store = builder.sign(tools.signer, media_type, io.BytesIO(data), signed)
        except c2pa.C2paError as error:
            raise UnsignedOutput("the picture could not be signed") from error
        return Signed(signed.getvalue(), store)

    def _build(self) -> _Tools:
        return _Tools(self._trust.context(), native_signer(self._identity))


def native_signer(identity: SigningIdentity) -> c2pa.Signer:
    """The library's own, which is of no use in another process."""
    info = c2pa.C2paSignerInfo(identity.algorithm, identity.chain_pem.encode(), identity.key_pem.encode(), None)
    return c2pa.Signer.from_info(info)


def _with_store(ingredient: Json, name: str) -> Json:
    return {**ingredient, "manifest_data": {"format": "application/c2pa", "identifier": name}}
