"""Signing identities of every kind: of another authority, with another key, of another time."""

import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from darkroom.errors import SigningUnavailable, UnsignedOutput
from darkroom.provenance import SigningIdentity

T = TypeVar("T")

DAY = timedelta(days=1)

Key = Any  # any private key
Extensions = list[tuple[x509.ExtensionType, bool]]


def in_time(make: Callable[[timedelta], T]) -> T:
    """What is made by a certificate that lives for seconds: for more of them where the machine is too busy.

    What was made in its last second does not count: its times are cut to whole seconds.
    """
    for seconds in (3, 9, 33):
        begun = time.time()
        with suppress(SigningUnavailable, UnsignedOutput):
            made = make(timedelta(seconds=seconds))
            if time.time() < begun + seconds - 1:
                return made
    raise AssertionError("no certificate lived long enough for one picture")


def key_pem(key: Key) -> str:
    text: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return text.decode()


@dataclass
class Authority:
    """A root that signs leaves."""

    name: str = "Some Authority"
    key: Key = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    organization: str = "An Organization"

    def __post_init__(self) -> None:
        authority: Extensions = [(x509.BasicConstraints(True, None), True), (_usage(signs_certificates=True), True)]
        self.root = self._certificate(self.name, self.key, 1000 * DAY, authority)

    def signer(
        self,
        name: str = "Some Signer",
        *,
        key: Key = None,
        lives: timedelta = DAY,
        purposes: Iterable[x509.ObjectIdentifier] = (ExtendedKeyUsageOID.EMAIL_PROTECTION,),
    ) -> SigningIdentity:
        """A leaf that is a day old and has `lives` left."""
        key = key or ec.generate_private_key(ec.SECP256R1())
        chain = _pem(self._leaf(name, key, lives, purposes)) + _pem(self.root)
        algorithm = "ed25519" if isinstance(key, ed25519.Ed25519PrivateKey) else "es256"
        return SigningIdentity(chain, key_pem(key), algorithm, _pem(self.root))

    def itself(self) -> SigningIdentity:
        """A leaf of this name, vouched for by its own key and nobody else."""
        alone = _pem(self._leaf(self.name, self.key, DAY, (ExtendedKeyUsageOID.EMAIL_PROTECTION,)))
        return SigningIdentity(alone, key_pem(self.key), "es256", alone)

    def _leaf(
        self, name: str, key: Key, lives: timedelta, purposes: Iterable[x509.ObjectIdentifier]
    ) -> x509.Certificate:
        extensions: Extensions = [
            (x509.BasicConstraints(False, None), True),
            (_usage(signs_certificates=False), True),
            (x509.ExtendedKeyUsage(purposes), False),
        ]
        return self._certificate(name, key, lives, extensions)

    def _certificate(self, name: str, key: Key, lives: timedelta, extensions: Extensions) -> x509.Certificate:
        now, public = datetime.now(UTC), key.public_key()
        builder = (
            x509.CertificateBuilder()
            .subject_name(_named(name))
            .issuer_name(_named(self.name, self.organization))
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - DAY)
            .not_valid_after(now + lives)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False)
        )
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical=critical)
        return builder.sign(self.key, hashes.SHA256())


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _named(name: str, organization: str = "An Organization") -> x509.Name:
    return x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization), x509.NameAttribute(NameOID.COMMON_NAME, name)]
    )


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()
