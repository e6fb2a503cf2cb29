"""Over TLS, the certificate must be that of the name in the URL, though the connection goes to an address."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from pydantic import SecretStr

from darkroom.contract.webhook import Attempt, LentDelivery
from darkroom.errors import UrlUnreachable
from darkroom.outbound import Guard, Limits, fetch
from darkroom.outbound.fetching import system_trust
from darkroom.webhooks.sending import Sender
from darkroom.webhooks.signing import Signer
from tests.receiver import SECRET

LIMITS = Limits(max_bytes=100)
DAY = timedelta(days=1)
NAME = "pictures.test"


def certificate(
    name: str, key: ec.EllipticCurvePrivateKey, issuer: str, by: ec.EllipticCurvePrivateKey, lasts: timedelta = DAY
) -> bytes:
    """PEM of a certificate for a host, good from two days ago until `lasts` from now; one that issues itself is an
    authority."""
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - 2 * DAY)
        .not_valid_after(now + lasts)
        .add_extension(x509.BasicConstraints(key is by, None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(by.public_key()), critical=False)
    )
    if key is by:
        signs = {"key_cert_sign": True, "crl_sign": True}
        others = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement")
        never = dict.fromkeys((*others, "encipher_only", "decipher_only"), False)
        builder = builder.add_extension(x509.KeyUsage(**signs, **never), critical=True)
    return builder.sign(by, hashes.SHA256()).public_bytes(Encoding.PEM)


class Site:
    """A host with a certificate for `NAME`, and the authority that gave it."""

    def __init__(self, folder: Path, lasts: timedelta = DAY) -> None:
        root, leaf = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        self.authority = certificate("authority.test", root, "authority.test", root).decode()
        pem = folder / "site.pem"
        secret = leaf.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        pem.write_bytes(secret + certificate(NAME, leaf, "authority.test", root, lasts))
        self.asked_for: list[str | None] = []
        self.heads: list[bytes] = []
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.load_cert_chain(pem)
        self._tls.sni_callback = lambda connection, name, context: self.asked_for.append(name)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[int]:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self.heads.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
            await writer.drain()
            writer.close()

        async with await asyncio.start_server(serve, "127.0.0.1", 0, ssl=self._tls) as server:
            yield server.sockets[0].getsockname()[1]


def guard_of(port: int) -> Guard:
    """Every name leads to the site."""

    async def here(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    return Guard([ip_network("127.0.0.0/8")], [port], here)


async def got(site: Site, host: str, trusted: ssl.SSLContext | None) -> bytes:
    """What a fetch gets from the site under a name that leads to it."""
    async with site.open() as port:
        with await fetch(f"https://{host}:{port}/a.png", LIMITS, guard_of(port), trusted) as file:
            return file.read()


async def sent(site: Site, host: str, trusted: ssl.SSLContext | None) -> Attempt:
    """What becomes of a webhook that is sent to the site."""
    async with site.open() as port:
        sender = Sender(guard_of(port), Signer({"ann": [SecretStr(SECRET)]}), 5.0, trusted)
        lent = LentDelivery.model_validate(
            {"id": "msg_x_1", "tenant": "ann", "job_id": "x", "event": "generation.failed", "base": "", "body": None}
            | {"url": f"https://{host}:{port}/hook", "lane": f"{host} ann", "created_at": 1.0, "number": 1, "turn": 0}
        )
        return (await sender.send(lent, "{}")).attempt


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


async def test_the_name_of_the_url_is_asked_for_and_checked(site: Site) -> None:
    assert await got(site, NAME, ssl.create_default_context(cadata=site.authority)) == b"hi"
    assert site.asked_for == [NAME]


async def test_a_certificate_of_another_name_is_not_taken(site: Site) -> None:
    with pytest.raises(UrlUnreachable):
        await got(site, "others.test", ssl.create_default_context(cadata=site.authority))
    assert site.asked_for == ["others.test"]


async def test_a_certificate_of_an_authority_that_nobody_knows_is_not_taken(site: Site) -> None:
    with pytest.raises(UrlUnreachable):
        await got(site, NAME, None)


async def test_a_webhook_goes_to_the_name_of_its_url(site: Site) -> None:
    attempt = await sent(site, NAME, ssl.create_default_context(cadata=site.authority))
    assert (attempt.status, attempt.fault, site.asked_for) == (200, None, [NAME])
    assert b"webhook-signature: v1," in site.heads[0]


@pytest.mark.parametrize("host", ["others.test", "localhost"])
async def test_a_webhook_does_not_go_to_another_name(site: Site, host: str) -> None:
    attempt = await sent(site, host, ssl.create_default_context(cadata=site.authority))
    assert (attempt.status, attempt.fault, site.heads) == (None, "unreachable", [])


async def test_a_webhook_does_not_go_where_the_authority_is_unknown(site: Site) -> None:
    attempt = await sent(site, NAME, None)
    assert (attempt.fault, site.heads) == ("unreachable", [])


async def test_neither_webhook_nor_fetch_goes_where_the_certificate_has_expired(tmp_path: Path) -> None:
    site = Site(tmp_path, lasts=-DAY)
    attempt = await sent(site, NAME, ssl.create_default_context(cadata=site.authority))
    assert (attempt.fault, site.asked_for, site.heads) == ("unreachable", [NAME], [])
    with pytest.raises(UrlUnreachable):
        await got(site, NAME, ssl.create_default_context(cadata=site.authority))


async def test_an_operators_own_authority_is_known_by_the_environment(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "authority.pem").write_text(site.authority)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    system_trust.cache_clear()
    try:
        assert (await sent(site, NAME, None)).status == 200
    finally:
        system_trust.cache_clear()


async def test_a_proxy_of_the_environment_is_not_used(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would look the name up by itself, past the guard."""
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    trusted = ssl.create_default_context(cadata=site.authority)
    assert (await sent(site, NAME, trusted)).status == 200
    assert await got(site, NAME, trusted) == b"hi"
