"""Signing a file with a C2PA manifest."""

import io
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple, Protocol

from darkroom.errors import ConfigurationError, SigningUnavailable, UnsignedOutput
from darkroom.provenance import rehearsal
from darkroom.provenance.identity import SigningIdentity
from darkroom.provenance.keyholders.answers import KeyHolder, raw_signature
from darkroom.provenance.native import c2pa
from darkroom.provenance.trust import PerProcess, Trust

Json = dict[str, Any]

_PROBE: Final = b"darkroom asks whether this key is its certificate's"


class Signed(NamedTuple):
    """The file with its manifest embedded, and the manifest store alone."""

    data: bytes
    manifest: bytes


class Carried(NamedTuple):
    """An ingredient with the manifest store of its own credential, which the inspector's child has tried to carry."""

    ingredient: Json
    store: bytes


class _Draft(NamedTuple):
    """What is to be signed. It can be signed again: nothing in it is used up."""

    data: bytes
    media_type: str
    manifest: Json
    stores: dict[str, bytes]


class Timing(Protocol):
    """Whoever has the time of a signature attested: `darkroom.provenance.times.Times`."""

    @property
    def required(self) -> bool: ...

    def timed(self, sign: Callable[[str | None], Signed], media_type: str) -> Signed:
        """What `sign` makes, given an address to ask for a timestamp at, or none. Raises: TimestampUnavailable."""
        ...

    def close(self) -> None: ...


class CredentialSigner:
    """Signs for one identity, from any thread of any process. `trust` is for what it checks of its own work."""

    def __init__(self, identity: SigningIdentity, trust: Trust | None = None, times: Timing | None = None) -> None:
        self._identity = identity
        self._context = PerProcess((trust or Trust.of(identity.anchor_pem)).context)
        self._by_key = PerProcess(lambda: native_signer(identity))
        self._times = times

    @property
    def waits(self) -> bool:
        """Whether signing takes its time elsewhere."""
        return self._identity.holder is not None or self._times is not None

    def close(self) -> None:
        """Give connections back. Signing again makes new ones."""
        if self._times:
            self._times.close()
        if self._identity.holder:
            self._identity.holder.close()

    def check(self) -> None:
        """Sign what is no picture, by whoever holds the key, with the time attested if pictures depend on it.

        Raises: SigningUnavailable; ConfigurationError for a signature that is not of the certificate's key, and for a
            certificate by which no picture can be signed.
        """
        if self._identity.holder:
            self._check_holder(self._identity.holder)
        timed = self._times is not None and self._times.required
        sign = self.sign if timed else self._untimed
        try:
            sign(rehearsal.PICTURE, rehearsal.MEDIA_TYPE, rehearsal.MANIFEST)
        except UnsignedOutput as error:
            raise ConfigurationError(
                "no picture can be signed with the signing certificate: what its leaf needs is in docs/provenance.md"
            ) from error

    def _check_holder(self, holder: KeyHolder) -> None:
        """By something that is no claim of a picture. A key that is here was held against the leaf when it was read."""
        answer = holder.sign(_PROBE)
        try:
            raw_signature(self._identity.public_key, self._identity.algorithm, _PROBE, answer)
        except SigningUnavailable as error:
            raise ConfigurationError(error.detail) from None

    def sign(self, data: bytes, media_type: str, manifest: Json, carried: Iterable[Carried] = ()) -> Signed:
        """Raises: UnsignedOutput; SigningUnavailable when it may work later."""
        if self._times is None:
            return self._untimed(data, media_type, manifest, carried)
        self._require_unexpired()
        draft = _draft(data, media_type, manifest, carried)
        return self._times.timed(lambda url: self._signed(draft, url), media_type)

    def _untimed(self, data: bytes, media_type: str, manifest: Json, carried: Iterable[Carried] = ()) -> Signed:
        self._require_unexpired()
        return self._signed(_draft(data, media_type, manifest, carried))

    def _require_unexpired(self) -> None:
        if self._identity.expires_at <= datetime.now(UTC):
            raise SigningUnavailable("the signing certificate, or one that vouches for it, has expired")

    def _signed(self, draft: _Draft, timestamp_url: str | None = None) -> Signed:
        signed = io.BytesIO()
        try:
            with (
                self._signer(timestamp_url) as signer,
                c2pa.Builder(draft.manifest, context=self._context.get()) as builder,
            ):
                for name, store in draft.stores.items():
                    builder.add_resource(name, io.BytesIO(store))
                whole = builder.sign(signer, draft.media_type, io.BytesIO(draft.data), signed)
        except c2pa.C2paError as error:
            raise UnsignedOutput("the picture could not be signed") from error
        return Signed(signed.getvalue(), whole)

    @contextmanager
    def _signer(self, timestamp_url: str | None) -> Iterator[c2pa.Signer]:
        """For one picture. Raises, at its end: SigningUnavailable, where that was why nothing could be signed."""
        identity = self._identity
        if identity.holder is None:
            with native_signer(identity, timestamp_url) if timestamp_url else nullcontext(self._by_key.get()) as signer:
                yield signer
            return
        asked = _Asked(identity)
        algorithm = c2pa.C2paSigningAlg[identity.algorithm.upper()]
        try:
            with c2pa.Signer.from_callback(asked.sign, algorithm, identity.chain_pem, timestamp_url) as signer:
                yield signer
        except c2pa.C2paError:
            if asked.refusal:
                raise asked.refusal from None
            raise


class _Asked:
    """One picture's question to the holder of the key. c2pa-rs says nothing of why a callback failed: this keeps it."""

    def __init__(self, identity: SigningIdentity) -> None:
        self._identity = identity
        self.refusal: SigningUnavailable | None = None

    def sign(self, data: bytes) -> bytes:
        """The signature, or nothing, which c2pa-rs takes for a failure."""
        identity = self._identity
        assert identity.holder is not None
        try:
            answer = identity.holder.sign(data)
            return raw_signature(identity.public_key, identity.algorithm, data, answer)
        except SigningUnavailable as error:
            self.refusal = error
        except Exception as error:  # noqa: BLE001  it would vanish in c2pa-rs
            self.refusal = SigningUnavailable(f"asking for a signature broke: {type(error).__name__}")
        return b""


def native_signer(identity: SigningIdentity, timestamp_url: str | None = None) -> c2pa.Signer:
    """The library's own, by a key that is here. It is of no use in another process."""
    url = timestamp_url.encode() if timestamp_url else None
    info = c2pa.C2paSignerInfo(identity.algorithm, identity.chain_pem.encode(), identity.key_pem.encode(), url)
    return c2pa.Signer.from_info(info)


def _draft(data: bytes, media_type: str, manifest: Json, carried: Iterable[Carried]) -> _Draft:
    stores = {f"{each.ingredient['label']}.c2pa": each for each in carried}
    ingredients = [_with_store(each.ingredient, name) for name, each in stores.items()]
    said = {**manifest, "ingredients": [*manifest.get("ingredients", ()), *ingredients]}
    return _Draft(data, media_type, said, {name: each.store for name, each in stores.items()})


def _with_store(ingredient: Json, name: str) -> Json:
    return {**ingredient, "manifest_data": {"format": "application/c2pa", "identifier": name}}
