"""Certificates for one machine: root -> intermediate -> leaf, made at first start, named for what they are.

Two files, each replaced whole: `authority.pem` (key of the intermediate, intermediate, root) and `signer.pem` (key of
the leaf, leaf, intermediate). The root's key is thrown away at once. `root.pem` is a copy for other verifiers.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from darkroom.errors import ConfigurationError
from darkroom.provenance.identity import DEVELOPMENT, SigningIdentity
from darkroom.provenance.private_files import locked, read_private, write_private

C2PA_CLAIM_SIGNING: Final = ObjectIdentifier("1.3.6.1.4.1.62558.2.1")
AUTHORITY_DAYS: Final = 3650
LEAF_DAYS: Final = 730
RENEW_DAYS: Final = 365  # a leaf with less left is replaced at start: a process may run this long
_BACKDATED: Final = timedelta(minutes=5)  # for clocks that are behind ours
_PURPOSES: Final = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION, C2PA_CLAIM_SIGNING])


class _Issuer(NamedTuple):
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def development_pki(folder: Path) -> SigningIdentity:
    """The signer of this folder, made or renewed when needed. Safe when several processes start at once.

    Raises: ConfigurationError when a key is open to others or a file is damaged.
    """
    with locked(folder):
        if not (folder / "authority.pem").exists():
            _make_authority(folder)
        return _kept_signer(folder) or _make_signer(folder)


def development_root(folder: Path) -> str:
    """The root that vouches for this folder's signer, made when there is none. No key is kept by who asks.

    Raises: ConfigurationError when the file is damaged.
    """
    path = folder / "root.pem"
    with locked(folder):
        if not (folder / "authority.pem").exists():
            _make_authority(folder)
        elif not path.exists():
            write_private(path, _blocks(folder / "authority.pem")[2].encode())
        text = path.read_bytes().decode("ascii", "replace")
    with _undamaged(path):
        x509.load_pem_x509_certificate(text.encode())
    return text


def passing_identity() -> SigningIdentity:
    """A signer that is kept nowhere, for what is signed to try it out."""
    root = _issue("root", None, AUTHORITY_DAYS, path_length=0)
    leaf = _issue("rehearsal", root, AUTHORITY_DAYS)  # longer than any process runs
    return SigningIdentity.from_pem(_pem(leaf.certificate), _key_pem(leaf.key), _pem(root.certificate))


def _kept_signer(folder: Path) -> SigningIdentity | None:
    if not (folder / "signer.pem").exists():
        return None
    key, leaf, intermediate = _blocks(folder / "signer.pem")
    _, issuer, root = _blocks(folder / "authority.pem")
    with _undamaged(folder / "signer.pem"):
        runs_out = x509.load_pem_x509_certificate(leaf.encode()).not_valid_after_utc
    if intermediate != issuer or runs_out < datetime.now(UTC) + timedelta(days=RENEW_DAYS):
        return None
    return SigningIdentity.from_pem(leaf + intermediate, key, root)


def _make_signer(folder: Path) -> SigningIdentity:
    authority_key, intermediate, root = _blocks(folder / "authority.pem")
    with _undamaged(folder / "authority.pem"):
        key = load_pem_private_key(authority_key.encode(), None)
        certificate = x509.load_pem_x509_certificate(intermediate.encode())
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ConfigurationError("authority.pem does not begin with an elliptic curve key")
    leaf = _issue("claim signer", _Issuer(certificate, key), LEAF_DAYS)
    write_private(folder / "signer.pem", (_key_pem(leaf.key) + _pem(leaf.certificate) + intermediate).encode())
    return SigningIdentity.from_pem(_pem(leaf.certificate) + intermediate, _key_pem(leaf.key), root)


def _make_authority(folder: Path) -> None:
    root = _issue("root", None, AUTHORITY_DAYS, path_length=1)
    intermediate = _issue("intermediate", root, AUTHORITY_DAYS, path_length=0)
    write_private(folder / "root.pem", _pem(root.certificate).encode())
    text = _key_pem(intermediate.key) + _pem(intermediate.certificate) + _pem(root.certificate)
    write_private(folder / "authority.pem", text.encode())


def _issue(role: str, issuer: _Issuer | None, days: int, *, path_length: int | None = None) -> _Issuer:
    """A certificate with a key of its own; self-signed without an issuer, an authority with a path length."""
    key = ec.generate_private_key(ec.SECP256R1())
    signer = issuer.key if issuer else key
    begin, subject = datetime.now(UTC) - _BACKDATED, _name(role)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + timedelta(days=days))
        .add_extension(x509.BasicConstraints(path_length is not None, path_length), critical=True)
        .add_extension(_key_usage(authority=path_length is not None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    if path_length is None:
        builder = builder.add_extension(_PURPOSES, critical=False)
    return _Issuer(builder.sign(signer, hashes.SHA256()), key)


def _name(role: str) -> x509.Name:
    """C2PA wants an organization; ours says that nobody should rely on it."""
    organization = x509.NameAttribute(NameOID.ORGANIZATION_NAME, DEVELOPMENT)
    return x509.Name([organization, x509.NameAttribute(NameOID.COMMON_NAME, f"{DEVELOPMENT} {role}")])


def _key_usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _blocks(path: Path) -> list[str]:
    """The PEM blocks of a private file. Raises: ConfigurationError."""
    text = read_private(path).decode("ascii", "replace")
    blocks = [f"-----BEGIN {block}" for block in text.split("-----BEGIN ")[1:]]
    if len(blocks) != 3:
        raise _damaged(path)
    return blocks


@contextmanager
def _undamaged(path: Path) -> Iterator[None]:
    try:
        yield
    except (ValueError, TypeError) as error:
        raise _damaged(path) from error


def _damaged(path: Path) -> ConfigurationError:
    return ConfigurationError(f"{path.name} is damaged: remove it, and a new one is made")


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()


def _key_pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
