"""A timestamp authority of our own (RFC 3161), honest or with one fault at a time."""

import hashlib
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

SEQUENCE, SET, INTEGER, OCTETS, TIME, OID = 0x30, 0x31, 0x02, 0x04, 0x18, 0x06
SHA256: Final = "2.16.840.1.101.3.4.2.1"
ECDSA_SHA256: Final = "1.2.840.10045.4.3.2"
SIGNED_DATA: Final = "1.2.840.113549.1.7.2"
TST_INFO: Final = "1.2.840.113549.1.9.16.1.4"
CONTENT_TYPE: Final = "1.2.840.113549.1.9.3"
MESSAGE_DIGEST: Final = "1.2.840.113549.1.9.4"
SIGNING_CERTIFICATE_V2: Final = "1.2.840.113549.1.9.16.2.47"
POLICY: Final = "1.3.6.1.4.1.99999.1"  # of nobody


def der(tag: int, *parts: bytes) -> bytes:
    """X.690: tag, length, content."""
    content = b"".join(parts)
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def integer(value: int) -> bytes:
    return der(INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def oid(dotted: str) -> bytes:
    first, second, *others = map(int, dotted.split("."))
    octets = bytearray()
    for arc in (first * 40 + second, *others):
        groups = [arc & 0x7F]
        while arc := arc >> 7:
            groups.append(0x80 | arc & 0x7F)
        octets += bytes(reversed(groups))
    return der(OID, bytes(octets))


def elements(content: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """Of what a constructed value holds: tag, content, and the whole of each."""
    at = 0
    while at < len(content):
        size, head = content[at + 1], 2
        if size & 0x80:
            head += size & 0x7F
            size = int.from_bytes(content[at + 2 : at + head], "big")
        yield content[at], content[at + head : at + head + size], content[at : at + head + size]
        at += head + size


@dataclass(frozen=True)
class Question:
    """What a client asks to have stamped: the whole imprint, and the nonce if it sent one."""

    imprint: bytes
    nonce: int | None

    @classmethod
    def of(cls, request: bytes) -> "Question":
        ((_, body, _),) = elements(request)
        _, (_, _, imprint), *others = elements(body)
        nonces = [int.from_bytes(content, "big", signed=True) for tag, content, _ in others if tag == INTEGER]
        return cls(imprint, nonces[0] if nonces else None)


@dataclass
class Authority:
    """A root, a leaf that stamps, and a clock. `changed` is done to each question before it is answered."""

    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    changed: Callable[[Question], Question] = lambda question: question
    serials: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.root_key = root_key = ec.generate_private_key(ec.SECP256R1())
        self.root = _certificate("Some Time Root", root_key, "Some Time Root", root_key, authority=True)
        self.leaf = _certificate("Some Time Stamper", self.key, "Some Time Root", root_key, authority=False)

    @property
    def anchor_pem(self) -> str:
        return self.root.public_bytes(Encoding.PEM).decode()

    def answer(self, request: bytes) -> bytes:
        """TimeStampResp, DER: granted, with a token."""
        return der(SEQUENCE, der(SEQUENCE, integer(0)), self._token(self.changed(Question.of(request))))

    def _token(self, question: Question) -> bytes:
        said = self._info(question)
        signer = self._signer_info(said)
        leaf, root = (each.public_bytes(Encoding.DER) for each in (self.leaf, self.root))
        signed = der(
            SEQUENCE,
            integer(3),
            der(SET, _algorithm(SHA256)),
            der(SEQUENCE, oid(TST_INFO), der(0xA0, der(OCTETS, said))),
            der(0xA0, leaf, root),
            der(SET, signer),
        )
        return der(SEQUENCE, oid(SIGNED_DATA), der(0xA0, signed))

    def _info(self, question: Question) -> bytes:
        now = self.clock().strftime("%Y%m%d%H%M%SZ").encode()
        nonce = b"" if question.nonce is None else integer(question.nonce)
        return der(
            SEQUENCE, integer(1), oid(POLICY), question.imprint, integer(next(self.serials)), der(TIME, now), nonce
        )

    def _signer_info(self, said: bytes) -> bytes:
        leaf = self.leaf.public_bytes(Encoding.DER)
        certificate = der(SEQUENCE, der(SEQUENCE, der(SEQUENCE, der(OCTETS, hashlib.sha256(leaf).digest()))))
        attributes = sorted(
            (
                der(SEQUENCE, oid(CONTENT_TYPE), der(SET, oid(TST_INFO))),
                der(SEQUENCE, oid(MESSAGE_DIGEST), der(SET, der(OCTETS, hashlib.sha256(said).digest()))),
                der(SEQUENCE, oid(SIGNING_CERTIFICATE_V2), der(SET, certificate)),
            )
        )
        signature = self.key.sign(der(SET, *attributes), ec.ECDSA(hashes.SHA256()))
        return der(
            SEQUENCE,
            integer(1),
            der(SEQUENCE, self.leaf.issuer.public_bytes(), integer(self.leaf.serial_number)),
            _algorithm(SHA256),
            der(0xA0, *attributes),
            der(SEQUENCE, oid(ECDSA_SHA256)),
            der(OCTETS, signature),
        )


def _algorithm(dotted: str) -> bytes:
    return der(SEQUENCE, oid(dotted), der(0x05))


def _certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: str,
    issuer_key: ec.EllipticCurvePrivateKey,
    *,
    authority: bool,
) -> x509.Certificate:
    now, public = datetime.now(UTC), key.public_key()
    usage = dict.fromkeys(
        (
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "encipher_only",
            "decipher_only",
        ),
        False,
    )
    builder = (
        x509.CertificateBuilder()
        .subject_name(_named(name))
        .issuer_name(_named(issuer))
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=400))
        .not_valid_after(now + timedelta(days=400))
        .add_extension(x509.BasicConstraints(authority, None), critical=True)
        .add_extension(
            x509.KeyUsage(digital_signature=not authority, key_cert_sign=authority, crl_sign=authority, **usage),
            critical=True,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )
    if not authority:
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
    return builder.sign(issuer_key, hashes.SHA256())


def _named(name: str) -> x509.Name:
    organization = x509.NameAttribute(NameOID.ORGANIZATION_NAME, "An Authority of Time")
    return x509.Name([organization, x509.NameAttribute(NameOID.COMMON_NAME, name)])
