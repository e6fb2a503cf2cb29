"""Who signs: a certificate chain, and the key of its leaf or who holds it."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Final, Self

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes, PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from darkroom.errors import ConfigurationError
from darkroom.provenance.keyholders.answers import KeyHolder
from darkroom.provenance.private_files import read_private

DEVELOPMENT = "darkroom DEVELOPMENT ONLY"
RENEW_WITHIN: Final = timedelta(days=30)
LAST_MINUTE: Final = timedelta(minutes=1)  # in which nobody begins: what is in hand must still be signed


@dataclass(frozen=True)
class SigningIdentity:
    """PEM chain, leaf first. Its key is either in `key_pem`, as PKCS#8, or with a `holder` that signs for us.

    `anchor_pem` ends the chain: what trusts it trusts our pictures.
    """

    chain_pem: str
    key_pem: str = field(repr=False)
    algorithm: str
    anchor_pem: str
    holder: KeyHolder | None = None

    @classmethod
    def from_files(cls, chain: Path, key: Path) -> Self:
        """Raises: ConfigurationError for files that are missing, open to others, expired, or not of one another, and
        for certificates that are no chain."""
        return cls.from_pem(_text(chain), read_private(key).decode("ascii", "replace"))

    @classmethod
    def from_pem(cls, chain_pem: str, key_pem: str, anchor_pem: str | None = None) -> Self:
        """As `from_files`; without an anchor the last certificate of the chain is one. A key in one of OpenSSL's older
        forms is brought into PKCS#8, the one that c2pa-rs reads."""
        certificates, key = _parsed(chain_pem, key_pem)
        leaf, last = certificates[0], certificates[-1]
        if _spki(leaf.public_key()) != _spki(key.public_key()):
            raise ConfigurationError("the signing key is not the key of the first certificate in the chain")
        _require_valid(certificates)
        return cls(chain_pem, _pkcs8(key), _algorithm(leaf.public_key()), anchor_pem or _pem(last))

    @classmethod
    def held_elsewhere(cls, chain: Path, holder: KeyHolder) -> Self:
        """Raises: ConfigurationError for a chain that is missing, broken or expired, and for what `holder` finds wrong.

        Whether it holds the leaf's key is seen when it signs.
        """
        holder.check()
        text = _text(chain)
        certificates = _certificates(text, chain)
        _require_valid(certificates)
        return cls(text, "", _algorithm(certificates[0].public_key()), _pem(certificates[-1]), holder)

    @cached_property
    def public_key(self) -> CertificatePublicKeyTypes:
        """Of the leaf."""
        return x509.load_pem_x509_certificate(self.chain_pem.encode()).public_key()

    @cached_property
    def expires_at(self) -> datetime:
        """When the first certificate of the chain runs out: from then on no verifier follows it to its end."""
        return min(each.not_valid_after_utc for each in x509.load_pem_x509_certificates(self.chain_pem.encode()))


def last_of_chain(chain: Path) -> str:
    """In PEM, the certificate that vouches for all before it. Raises: ConfigurationError."""
    return _pem(_certificates(_text(chain), chain)[-1])


def is_for_development(chain: Path) -> bool:
    """Whether a development PKI made any certificate of this chain. Raises: ConfigurationError."""
    names = [name for each in _certificates(_text(chain), chain) for name in (each.subject, each.issuer)]
    return any(part.value == DEVELOPMENT for name in names for part in name)


def _certificates(text: str, chain: Path) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(text.encode())
    except ValueError as error:
        raise _unreadable(chain) from error


def _require_valid(certificates: list[x509.Certificate]) -> None:
    _require_linked(certificates)
    now = datetime.now(UTC)
    if any(now < each.not_valid_before_utc for each in certificates):
        raise ConfigurationError("the signing certificate, or one that vouches for it, is not valid yet")
    if any(each.not_valid_after_utc <= now + LAST_MINUTE for each in certificates):
        raise ConfigurationError(
            "the signing certificate, or one that vouches for it, has expired or does within a minute"
        )


def _require_linked(certificates: list[x509.Certificate]) -> None:
    """Else c2pa-rs signs all the same, and every reader, our own included, calls the signer a stranger."""
    for each, issuer in pairwise(certificates):
        try:
            each.verify_directly_issued_by(issuer)
        except (ValueError, TypeError, InvalidSignature):
            raise ConfigurationError(
                "the signing certificates are no chain: each, from the leaf on, must be signed by the one after it"
            ) from None


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()


def _text(chain: Path) -> str:
    try:
        return chain.read_text("ascii")
    except (OSError, ValueError) as error:
        raise _unreadable(chain) from error


def _unreadable(chain: Path) -> ConfigurationError:
    return ConfigurationError(f"{chain.name} cannot be read as PEM certificates")


def _parsed(chain_pem: str, key_pem: str) -> tuple[list[x509.Certificate], PrivateKeyTypes]:
    try:
        return x509.load_pem_x509_certificates(chain_pem.encode()), load_pem_private_key(key_pem.encode(), None)
    except (ValueError, TypeError) as error:
        raise ConfigurationError("the signing certificate or key is not unencrypted PEM") from error


def _pkcs8(key: PrivateKeyTypes) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def _spki(key: object) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)  # type: ignore[attr-defined,no-any-return]


def _algorithm(key: CertificatePublicKeyTypes) -> str:
    """The COSE algorithm C2PA prescribes for this kind of key."""
    match key:
        case ec.EllipticCurvePublicKey(curve=ec.SECP256R1()):
            return "es256"
        case ec.EllipticCurvePublicKey(curve=ec.SECP384R1()):
            return "es384"
        case ec.EllipticCurvePublicKey(curve=ec.SECP521R1()):
            return "es512"
        case rsa.RSAPublicKey():
            return "ps256"
        case ed25519.Ed25519PublicKey():
            return "ed25519"
    raise ConfigurationError("the signing key is of a kind that C2PA does not allow")
