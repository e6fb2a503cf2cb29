"""The playground's files: a fixed table, read once, so that no path from outside ever meets the disk.

They hold nothing that is secret, so whoever can reach us may have them; what the page asks for needs a key, as ever.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from starlette.responses import Response

from api.etags import holds
from darkroom.settings import Settings

FOLDER = Path(__file__).with_name("playground")
INDEX = "index.html"
MEDIA_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


@dataclass(frozen=True)
class File:
    body: bytes
    media_type: str
    etag: str


@cache
def files() -> Mapping[str, File]:
    """Every file of the page, by its name."""
    return {path.name: _file(path) for path in sorted(FOLDER.iterdir()) if path.suffix in MEDIA_TYPES}


def answer_with(file: File, if_none_match: str | None, headers: Mapping[str, str] | None = None) -> Response:
    """The file, or 304. A browser asks every time whether it is still the same: after an update no old half stays."""
    told = {"ETag": file.etag, "Cache-Control": "no-cache", **(headers or {})}
    if if_none_match is not None and holds(if_none_match, file.etag):
        return Response(status_code=304, headers=told)
    return Response(file.body, media_type=file.media_type, headers=told)


def content_security_policy(settings: Settings) -> str:
    """Nothing but our own files; pictures also from where presigned URLs lead, and those that the page itself holds."""
    elsewhere = " ".join(picture_origins(settings))
    rules = (
        "default-src 'self'",
        f"img-src 'self' data: blob: {elsewhere}",
        f"connect-src 'self' {elsewhere}",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
    )
    return "; ".join(rule.strip() for rule in rules)


def picture_origins(settings: Settings) -> tuple[str, ...]:
    """The origins that presigned URLs of this service's pictures may name."""
    if settings.store != "s3":
        return ()
    endpoint = settings.s3_public_endpoint or settings.s3_endpoint
    if endpoint:
        public = urlsplit(endpoint)
        return (f"{public.scheme}://{public.netloc}",)
    # Amazon's own: boto3 puts the bucket before the host, or behind it where its name has dots.
    bucket, region = settings.s3_bucket, settings.s3_region
    hosts = ("s3.amazonaws.com", f"s3.{region}.amazonaws.com")
    return tuple(f"https://{host if '.' in bucket else f'{bucket}.{host}'}" for host in hosts)


def wants_page(accept: str) -> bool:
    """Whether the caller is a browser that shows a page (RFC 9110, 12.5.1). `*/*`, as programs send, is none."""
    return any(_is_html(choice) for choice in accept.lower().split(","))


def _is_html(choice: str) -> bool:
    media_type, *parameters = (part.strip() for part in choice.split(";"))
    refused = any(part.replace(" ", "").rstrip("0").rstrip(".") in ("q=", "q=0") for part in parameters)
    return media_type in ("text/html", "application/xhtml+xml") and not refused


def _file(path: Path) -> File:
    body = path.read_bytes()
    return File(body, MEDIA_TYPES[path.suffix], f'"{hashlib.sha256(body).hexdigest()[:32]}"')
