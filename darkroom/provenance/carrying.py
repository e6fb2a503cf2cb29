"""Credentials that inputs came with, taken out of their files as data: what was found of each, and its manifest store.

Whoever signs then parses no file of a stranger's, only a store that was signed and read back here first, among the same
company. For the inspector's child: what a credential does to the library, it does there.
"""

import io
import json
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from pydantic import ConfigDict

from darkroom.contract.base import Settled
from darkroom.errors import UnsignedOutput
from darkroom.provenance.development_pki import passing_identity
from darkroom.provenance.native import c2pa
from darkroom.provenance.pictures import media_type
from darkroom.provenance.rehearsal import MANIFEST, PICTURE
from darkroom.provenance.signing import Carried, CredentialSigner, Json, native_signer
from darkroom.provenance.trust import PerProcess, Trust

MOST_CARRIED: Final = 1 << 20  # bytes of a credential: more would make a picture of ours mostly somebody else's
JUMBF: Final = b"jumb"  # in every manifest (ISO 19566-5): a file without it had no credential to lose
DAMAGED: Final = "its content credential is damaged and is not carried on"
# What our ingredient takes over. The library finds a thumbnail in the manifest that is carried, and points there.
_FOUND: Final = ("active_manifest", "validation_results")


class InputCredential(Settled):
    """A credential as it is carried on. `found` goes into the ingredient that names the input, `store` beside it."""

    model_config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")

    media_type: str
    found: dict[str, Any]
    store: bytes

    def carried(self, ingredient: Json) -> Carried:
        """The input that `ingredient` describes, with this credential."""
        found = {name: self.found[name] for name in _FOUND}
        return Carried({**ingredient, **found, "format": self.media_type}, self.store)


class Taken(Settled):
    """What came of a file: its credential, or why it stays behind; neither, where it has none."""

    credential: InputCredential | None = None
    why_not: str = ""


class _Tools(NamedTuple):
    context: c2pa.Context
    signer: c2pa.Signer
    rehearsed: CredentialSigner


class Carrier:
    """Finds of credentials what this trust tells. No check of ours would refuse exactly what the library does, so
    whether one can be carried is tried: signed with a key that nobody trusts, for a picture of one pixel.
    """

    def __init__(self, trust: Trust) -> None:
        self._trust = trust
        self._tools = PerProcess(self._build)

    def take(self, data: bytes) -> Taken:
        """The credential of this file. Raises: BadPicture for what is no picture we read."""
        kind = media_type(data)
        try:
            credential = self._taken(data, kind)
        except (c2pa.C2paError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return Taken(why_not=DAMAGED)
        if credential is None:
            return Taken(why_not=DAMAGED if JUMBF in data else "")
        if len(credential.store) + len(json.dumps(credential.found)) > MOST_CARRIED:
            return Taken(why_not=f"its content credential has more than {MOST_CARRIED} bytes")
        return Taken(credential=credential) if self.fit([credential]) else Taken(why_not=DAMAGED)

    def fit(self, credentials: Sequence[InputCredential]) -> bool:
        """Whether one manifest can carry all of them: two may call different manifests by the same label."""
        carried = [each.carried(_ingredient(index)) for index, each in enumerate(credentials)]
        try:
            tools = self._tools.get()
            signed = tools.rehearsed.sign(PICTURE, "image/png", MANIFEST, carried).data
            with c2pa.Reader("image/png", io.BytesIO(signed), context=tools.context) as reader:
                report = json.loads(reader.json())
        except (c2pa.C2paError, UnsignedOutput, ValueError, RecursionError):
            return False
        carried_on = all(each.found["active_manifest"] in report["manifests"] for each in credentials)
        return carried_on and report["validation_state"] == "Trusted"

    def _taken(self, data: bytes, kind: str) -> InputCredential | None:
        signed = io.BytesIO()
        tools = self._tools.get()
        with c2pa.Builder(MANIFEST, context=tools.context) as builder:
            builder.add_ingredient(_ingredient(0), kind, io.BytesIO(data))
            builder.sign(tools.signer, "image/png", io.BytesIO(PICTURE), signed)
        with c2pa.Reader("image/png", signed, context=tools.context) as reader:
            report = json.loads(reader.json())
            (seen,) = report["manifests"][report["active_manifest"]]["ingredients"]
            if "manifest_data" not in seen:
                return None
            store = io.BytesIO()
            reader.resource_to_stream(seen["manifest_data"]["identifier"], store)
        found = {name: seen[name] for name in _FOUND}
        return InputCredential(media_type=kind, found=found, store=store.getvalue())

    def _build(self) -> _Tools:
        identity = passing_identity()
        trust = Trust.of(self._trust.anchors_pem, identity.anchor_pem)
        return _Tools(trust.context(), native_signer(identity), CredentialSigner(identity, trust))


def _ingredient(index: int) -> Json:
    return {"title": f"input-{index}", "label": f"input-{index}", "relationship": "inputTo"}
