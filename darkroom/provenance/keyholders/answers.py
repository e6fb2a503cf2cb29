"""What is asked of whoever holds a key, and what counts as an answer."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Final, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from darkroom.errors import SigningUnavailable

MOST_BYTES: Final = 4096  # RSA of 16,384 bits needs 2,048
_HASHES: Final[dict[str, hashes.HashAlgorithm]] = {
    "es256": hashes.SHA256(),
    "es384": hashes.SHA384(),
    "es512": hashes.SHA512(),
    "ps256": hashes.SHA256(),
}


class KeyHolder(Protocol):
    """A KMS, an HSM or a service. Any number of threads may call `sign` at once."""

    def check(self) -> None:
        """What can be found wrong without asking it. Raises: ConfigurationError."""
        ...

    def sign(self, data: bytes) -> bytes:
        """A signature of these bytes, which the holder hashes; of elliptic curves either r||s or DER.

        Raises: SigningUnavailable, within a time that is set.
        """
        ...

    def close(self) -> None:
        """Give connections back, if there are any. Signing again makes new ones."""
        ...


def raw_signature(key: CertificatePublicKeyTypes, algorithm: str, data: bytes, answer: bytes) -> bytes:
    """The answer as COSE wants it, of elliptic curves r||s (RFC 9053, 2.1), which most KMS give as DER.

    Raises: SigningUnavailable for an answer that is no signature of these bytes by this key.
    """
    for form in _forms(key, answer):
        with suppress(InvalidSignature):
            _verify(key, algorithm, data, form)
            return form
    raise SigningUnavailable(f"the signer's answer of {len(answer)} bytes is no signature by the certificate's key")


def _forms(key: CertificatePublicKeyTypes, answer: bytes) -> Iterator[bytes]:
    """What the answer may mean: of some lengths it is either, and only the key tells."""
    if not isinstance(key, ec.EllipticCurvePublicKey):
        yield answer
        return
    size = (key.key_size + 7) // 8
    if len(answer) == 2 * size:
        yield answer
    with suppress(ValueError, OverflowError):
        r, s = decode_dss_signature(answer)
        yield r.to_bytes(size, "big") + s.to_bytes(size, "big")


def _verify(key: CertificatePublicKeyTypes, algorithm: str, data: bytes, signature: bytes) -> None:
    """Raises: InvalidSignature."""
    if isinstance(key, ed25519.Ed25519PublicKey):
        key.verify(signature, data)
    elif isinstance(key, ec.EllipticCurvePublicKey):
        half = len(signature) // 2
        r, s = int.from_bytes(signature[:half], "big"), int.from_bytes(signature[half:], "big")
        key.verify(encode_dss_signature(r, s), data, ec.ECDSA(_HASHES[algorithm]))
    elif isinstance(key, rsa.RSAPublicKey):
        chosen = _HASHES[algorithm]
        key.verify(signature, data, padding.PSS(padding.MGF1(chosen), chosen.digest_size), chosen)
    else:
        raise InvalidSignature
