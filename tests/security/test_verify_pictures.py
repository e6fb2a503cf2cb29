"""Hostile and odd pictures sent to verify: a verdict or a problem, soon, and never a fault of ours."""

import io
import socket
import struct
import zipfile
import zlib
from collections.abc import AsyncIterator, Callable

import c2pa
import httpx
import numpy as np
import pytest
from PIL import Image

from darkroom.provenance.manifest import manifest
from darkroom.provenance.trust import Trust
from darkroom.provenance.verdict import NOT_FETCHED
from darkroom.services import Services
from tests.fakes import fake_services
from tests.gateway import client_of, problem_in
from tests.unit.provenance.certificates import Authority
from tests.unit.provenance.making import encoded, facts, shapes

VERIFY = "/api/v1/provenance/verify"
PICTURE = Image.fromarray(shapes(96, 96))
SECONDS = 10.0  # what a crowded machine may take; alone it is a fraction of one


@pytest.fixture(scope="module")
def services() -> Services:
    return fake_services()


@pytest.fixture
async def client(services: Services) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(services) as client:
        yield client


def saved(picture: Image.Image, media: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, media, **options)
    return buffer.getvalue()


def animated(media: str) -> bytes:
    others = [Image.fromarray(shapes(96, 96, seed)) for seed in (1, 2)]
    return saved(PICTURE, media, save_all=True, append_images=others)


def turned(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return saved(PICTURE, "JPEG", exif=exif)


def sixteen_bits() -> bytes:
    grey = np.asarray(PICTURE.convert("L")).astype(np.uint16) << 8
    return encoded(grey)


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def bomb(width: int, height: int) -> bytes:
    """A PNG that claims to be huge and is tiny."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\0" * 10_000_000, 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def words_bomb() -> bytes:
    """A PNG whose compressed words are a thousand times what they seem."""
    data = encoded(shapes(96, 96))
    words = chunk(b"zTXt", b"x\0\0" + zlib.compress(b"x" * 50_000_000, 9))
    return data[:33] + words * 3 + data[33:]


def with_manifest(manifest_store: bytes) -> bytes:
    data = encoded(shapes(96, 96))
    return data[:33] + chunk(b"caBX", manifest_store) + data[33:]


def archive() -> bytes:
    """A zip whose one file is a thousand times larger unpacked."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr("picture.png", bytes(20_000_000))
    return buffer.getvalue()


SEEN: dict[str, Callable[[], bytes]] = {
    "an animated PNG": lambda: animated("PNG"),
    "an animated WebP": lambda: animated("WEBP"),
    "CMYK": lambda: saved(PICTURE.convert("CMYK"), "JPEG"),
    "grey": lambda: saved(PICTURE.convert("L"), "JPEG"),
    "16 bits": sixteen_bits,
    "a palette": lambda: saved(PICTURE.quantize(16), "PNG"),
    "a transparent palette": lambda: saved(PICTURE.quantize(16), "PNG", transparency=bytes(16)),
    "one bit": lambda: saved(PICTURE.convert("1"), "PNG"),
    "alpha": lambda: saved(PICTURE.convert("RGBA"), "WEBP", lossless=True),
    "progressive": lambda: saved(PICTURE, "JPEG", progressive=True),
    "turned by EXIF": lambda: turned(6),
    "a wrong EXIF": lambda: turned(77),
    "eight by eight": lambda: saved(PICTURE.resize((8, 8)), "PNG"),
    "a thread": lambda: saved(PICTURE.resize((8, 256)), "PNG"),
    "a ribbon": lambda: saved(PICTURE.resize((3200, 100)), "JPEG"),
    "black": lambda: saved(Image.new("RGB", (96, 96)), "PNG"),
    "garbage for a manifest": lambda: with_manifest(b"garbage" * 100),
    "no bytes for a manifest": lambda: with_manifest(b""),
}
MODIFIED: dict[str, Callable[[], bytes]] = {
    "a manifest that nests": lambda: with_manifest(b"\0\0\xff\xffjumb" * 2000),
    "a manifest that breaks off": lambda: with_manifest(b"\0\0\0\x20jumb\0\0"),
}
REFUSED: dict[str, Callable[[], bytes]] = {
    "a truncated PNG": lambda: saved(PICTURE, "PNG")[:400],
    "a truncated JPEG": lambda: saved(PICTURE, "JPEG")[:900],
    "a truncated WebP": lambda: saved(PICTURE, "WEBP")[:200],
    "a header alone": lambda: saved(PICTURE, "PNG")[:33],
    "a bomb": lambda: bomb(60_000, 60_000),
    "a bomb within the limits": lambda: bomb(4_900, 4_900),
    "a bomb of two gigapixels a side": lambda: bomb(2**31 - 1, 2**31 - 1),
    "a bomb of words": words_bomb,
    "no width": lambda: bomb(0, 100),
    "a hair": lambda: saved(PICTURE.resize((8, 2000)), "PNG"),
    "four by four": lambda: saved(PICTURE.resize((4, 4)), "PNG"),
    "a GIF": lambda: saved(PICTURE, "GIF"),
    "a TIFF": lambda: saved(PICTURE, "TIFF"),
    "a BMP": lambda: saved(PICTURE, "BMP"),
    "an icon": lambda: saved(PICTURE, "ICO"),
    "a PDF": lambda: saved(PICTURE, "PDF"),
    "a HEIC": lambda: b"\0\0\0\x18ftypheic" + bytes(2_000),
    "an AVIF": lambda: b"\0\0\0\x18ftypavif" + bytes(2_000),
    "an SVG": lambda: b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>',
    "an archive": lambda: archive(),
    "one byte": lambda: b"\x89",
    "zeros": lambda: b"\0" * 100_000,
}


@pytest.mark.slow
@pytest.mark.parametrize("name", [*SEEN, *MODIFIED])
async def test_an_odd_picture_gets_a_verdict(client: httpx.AsyncClient, name: str) -> None:
    data = (SEEN | MODIFIED)[name]()
    answer = await client.post(VERIFY, content=data, headers={"Content-Type": "image/png"})
    assert answer.status_code == 200, answer.text
    assert answer.json()["state"] == ("modified" if name in MODIFIED else "no_evidence")
    assert answer.elapsed.total_seconds() < SECONDS


@pytest.mark.slow
@pytest.mark.parametrize("name", REFUSED)
async def test_what_cannot_be_seen_is_a_problem(client: httpx.AsyncClient, name: str) -> None:
    answer = await client.post(VERIFY, content=REFUSED[name](), headers={"Content-Type": "image/png"})
    assert answer.status_code == 422, answer.text
    assert problem_in(answer)["code"] == "bad_picture"
    assert answer.elapsed.total_seconds() < SECONDS


async def test_a_manifest_that_lies_elsewhere_is_not_fetched(client: httpx.AsyncClient) -> None:
    """Else whoever sends a picture decides what this service asks its own network for."""
    signer = Authority().signer()
    info = c2pa.C2paSignerInfo(signer.algorithm, signer.chain_pem.encode(), signer.key_pem.encode(), None)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0.2)
        signed = io.BytesIO()
        said = manifest(facts(), "org.other", "AAAAAAAB")
        with c2pa.Builder(said, context=Trust.of(signer.anchor_pem).context()) as builder:
            builder.set_no_embed()
            builder.set_remote_url(f"http://127.0.0.1:{listening.getsockname()[1]}/manifest.c2pa")
            builder.sign(c2pa.Signer.from_info(info), "image/png", io.BytesIO(encoded(shapes(64, 64))), signed)
        answer = await client.post(VERIFY, content=signed.getvalue(), headers={"Content-Type": "image/png"})
        assert answer.status_code == 200, answer.text
        assert (answer.json()["state"], answer.json()["notes"]) == ("no_evidence", [NOT_FETCHED])
        with pytest.raises(TimeoutError):
            listening.accept()
