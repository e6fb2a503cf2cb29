"""Holders of keys, of every kind and in every mood."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from darkroom.provenance import SigningIdentity
from darkroom.provenance.keyholders.answers import KeyHolder
from tests.unit.provenance.certificates import Authority

KEYS: dict[str, Callable[[], Any]] = {
    "es256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "es384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "es512": lambda: ec.generate_private_key(ec.SECP521R1()),
    "ps256": lambda: rsa.generate_private_key(65537, 2048),
    "ed25519": ed25519.Ed25519PrivateKey.generate,
}
_HASHES = {"es384": hashes.SHA384(), "es512": hashes.SHA512()}


@cache
def key_of(algorithm: str) -> Any:
    return KEYS[algorithm]()


def signature(key: Any, algorithm: str, data: bytes) -> bytes:
    """As a KMS gives it: of elliptic curves in DER."""
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key.sign(data, ec.ECDSA(_HASHES.get(algorithm, hashes.SHA256())))
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(data, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())
    return bytes(key.sign(data))


def unwrapped(key: ec.EllipticCurvePrivateKey, der: bytes) -> bytes:
    """r||s (IEEE P1363)."""
    size = (key.curve.key_size + 7) // 8
    return b"".join(part.to_bytes(size, "big") for part in decode_dss_signature(der))


@dataclass
class Held:
    """Signs with a key that only it has; `mood` makes something else of the answer, or raises."""

    key: Any
    algorithm: str
    mood: Callable[[bytes], bytes] = lambda answer: answer
    asked: int = 0

    def check(self) -> None: ...

    def close(self) -> None: ...

    def sign(self, data: bytes) -> bytes:
        self.asked += 1
        return self.mood(signature(self.key, self.algorithm, data))


def held_by(holder: KeyHolder, key: Any, algorithm: str) -> SigningIdentity:
    """A fresh certificate for this key, which is with `holder` and nowhere else."""
    made = Authority().signer(key=key)
    return replace(made, key_pem="", algorithm=algorithm, holder=holder)
