"""Who signs: a certificate chain and the key of its leaf."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from darkroom.errors import ConfigurationError
from darkroom.provenance.private_files import read_private

DEVELOPMENT = "darkroom DEVELOPMENT ONLY"


@dataclass(frozen=True)
class SigningIdentity:
    """PEM chain, leaf first, and PKCS#8 key. `anchor_pem` ends the chain: what trusts it trusts our pictures."""

    chain_pem: str
    key_pem: str = field(repr=False)
    algorithm: str
    anchor_pem: str

    @classmethod
    def from_files(cls, chain: Path, key: Path) -> Self:
        """Raises: ConfigurationError for files that are missing, open to others, expired, or not of one another."""
        return cls.from_pem(_text(chain), read_private(key).decode("ascii", "replace"))

    @classmethod
    def from_pem(cls, chain_pem: str, key_pem: str, anchor_pem: str | None = None) -> Self:
        """As `from_files`; without an anchor the last certificate of the chain is one."""
        certificates, key = _parsed(chain_pem, key_pem)
        leaf, last = certificates[0], certificates[-1]
        if _spki(leaf.public_key()) != _spki(key.public_key()):
            raise ConfigurationError("the signing key is not the key of the first certificate in the chain")
        if not leaf.not_valid_before_utc <= datetime.now(UTC) < leaf.not_valid_after_utc:
            raise ConfigurationError("the signing certificate is not valid today")
        return cls(chain_pem, key_pem, _algorithm(key), anchor_pem or last.public_bytes(Encoding.PEM).decode())

    @property
    def expires_at(self) -> datetime:
        return x509.load_pem_x509_certificate(self.chain_pem.encode()).not_valid_after_utc


def last_of_chain(chain: Path) -> str:
    """In PEM, the certificate that vouches for all before it. Raises: ConfigurationError."""
    try:
        return x509.load_pem_x509_certificates(_text(chain).encode())[-1].public_bytes(Encoding.PEM).decode()
    except ValueError as error:
        raise _unreadable(chain) from error


def is_for_development(chain: Path) -> bool:
    """Whether a development PKI made any certificate of this chain. Raises: ConfigurationError."""
    try:
        certificates = x509.load_pem_x509_certificates(_text(chain).encode())
    except ValueError as error:
        raise _unreadable(chain) from error
    names = [name for each in certificates for name in (each.subject, each.issuer)]
    return any(part.value == DEVELOPMENT for name in names for part in name)


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


def _spki(key: object) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)  # type: ignore[attr-defined,no-any-return]


def _algorithm(key: PrivateKeyTypes) -> str:
    """The COSE algorithm C2PA prescribes for this kind of key."""
    match key:
        case ec.EllipticCurvePrivateKey(curve=ec.SECP256R1()):
            return "es256"
        case ec.EllipticCurvePrivateKey(curve=ec.SECP384R1()):
            return "es384"
        case rsa.RSAPrivateKey():
            return "ps256"
        case ed25519.Ed25519PrivateKey():
            return "ed25519"
    raise ConfigurationError("the signing key is of a kind that C2PA does not allow")
