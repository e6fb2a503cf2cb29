"""A service that signs, over TLS: held to the authority that the operator names, and to the address that was asked."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from darkroom.errors import SigningUnavailable
from darkroom.provenance.keyholders.service import SigningService
from tests.servers.posts import Served, served
from tests.unit.provenance.certificates import DAY, Authority, key_pem

HERE = x509.IPAddress(ip_address("127.0.0.1"))


@dataclass
class Site:
    """Certificates of hosts, by an authority of the operator's own."""

    folder: Path

    def __post_init__(self) -> None:
        self.authority = Authority("The Operator's Own")
        self.roots = self.folder / "roots.pem"
        self.roots.write_bytes(self.authority.root.public_bytes(Encoding.PEM))

    def tls(self, name: x509.GeneralName = HERE, lives: timedelta = DAY) -> ssl.SSLContext:
        """Of a server that shows a certificate for this name."""
        key = ec.generate_private_key(ec.SECP256R1())
        issuer, now = self.authority.root, datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([]))
            .issuer_name(issuer.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - 2 * DAY)
            .not_valid_after(now + lives)
            .add_extension(x509.SubjectAlternativeName([name]), critical=True)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.public_key()), critical=False)
            .sign(self.authority.key, hashes.SHA256())
        )
        file = self.folder / "server.pem"
        file.write_text(key_pem(key) + certificate.public_bytes(Encoding.PEM).decode())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


@contextmanager
def signing(tls: ssl.SSLContext, roots: Path | None) -> Iterator[tuple[SigningService, Served]]:
    with served(lambda body: (200, b"signed " + body), tls=tls) as asked:
        service = SigningService(asked.url, 5.0, "s3cret", roots)
        service.check()
        try:
            yield service, asked
        finally:
            service.close()


def test_a_service_that_the_operators_authority_vouches_for_is_asked(site: Site) -> None:
    with signing(site.tls(), site.roots) as (service, asked):
        assert [service.sign(b"a claim"), service.sign(b"another")] == [b"signed a claim", b"signed another"]
    assert asked.headers[0]["authorization"] == "Bearer s3cret"


def refused(tls: ssl.SSLContext, roots: Path | None) -> Served:
    with signing(tls, roots) as (service, asked):
        with pytest.raises(SigningUnavailable, match="no connection"):
            service.sign(b"a claim")
        return asked


def test_one_that_only_the_operators_authority_knows_is_not_asked_without_it(site: Site) -> None:
    assert refused(site.tls(), None).asked == []


def test_one_of_another_authority_is_not_asked(site: Site, tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    other.write_bytes(Authority().root.public_bytes(Encoding.PEM))
    assert refused(site.tls(), other).headers == [], "it does not see the token"


@pytest.mark.parametrize("name", [x509.DNSName("signer.test"), x509.IPAddress(ip_address("127.0.0.2"))])
def test_one_whose_certificate_is_for_another_host_is_not_asked(site: Site, name: x509.GeneralName) -> None:
    assert refused(site.tls(name), site.roots).asked == []


def test_one_whose_certificate_has_expired_is_not_asked(site: Site) -> None:
    assert refused(site.tls(lives=-DAY), site.roots).asked == []
