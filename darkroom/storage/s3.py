"""A store in any S3-compatible server: boto3 in threads.

boto3 is synchronous and its clients are thread-safe; one client serves the process. Each call is one attempt: whether
to try again is for the caller to say, who knows whether a person waits.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Self, TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from darkroom.errors import ConfigurationError, StoreRefused, StoreUnavailable
from darkroom.settings import Settings
from darkroom.storage.keys import checked_filename, checked_key
from darkroom.storage.s3_errors import REFUSALS, error_code, s3_errors

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import PutObjectRequestTypeDef

CONNECT_SECONDS = 1.0
READ_SECONDS = 2.0
# Whole calls, waiting for a thread included: small reads while somebody waits, and uploads of megabytes.
CALL_SECONDS = 2.0
PUT_SECONDS = 30.0
THREADS = 16

T = TypeVar("T")


@dataclass(frozen=True)
class S3Access:
    """`endpoint` is where we connect, `public_endpoint` what presigned URLs name. None: Amazon's own for the region."""

    bucket: str
    region: str
    endpoint: str | None = None
    public_endpoint: str | None = None
    access_key: str | None = None
    secret_key: str | None = field(default=None, repr=False)

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """Raises: ConfigurationError when only one of the two keys is set."""
        access, secret = settings.s3_access_key, settings.s3_secret_key
        if (access is None) != (secret is None):
            raise ConfigurationError("DARKROOM_S3_ACCESS_KEY and DARKROOM_S3_SECRET_KEY must be set together")
        return cls(
            bucket=settings.s3_bucket,
            region=settings.s3_region,
            endpoint=settings.s3_endpoint,
            public_endpoint=settings.s3_public_endpoint or settings.s3_endpoint,
            access_key=access.get_secret_value() if access else None,
            secret_key=secret.get_secret_value() if secret else None,
        )


class S3Store:
    """Objects of one bucket, which must exist. The credentials need Get, Put, Delete and List on it: without List,
    Amazon answers 403 for an absent key."""

    def __init__(self, access: S3Access) -> None:
        self._bucket = access.bucket
        session = boto3.session.Session()  # one for both: it reads megabytes of JSON, once
        self._client = _client(session, access, access.endpoint)
        # A presigned URL signs its host, so the public one must be signed for by a client of its own.
        self._signer = _client(session, access, access.public_endpoint)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="s3")

    async def put(self, key: str, data: bytes, *, media_type: str, if_absent: bool = False) -> bool:
        return await self._call(key, PUT_SECONDS, lambda: self._put(checked_key(key), data, media_type, if_absent))

    async def get(self, key: str) -> bytes:
        return await self._call(key, CALL_SECONDS, lambda: self._get(checked_key(key)))

    async def delete(self, key: str) -> None:
        await self._call(
            key, CALL_SECONDS, lambda: self._client.delete_object(Bucket=self._bucket, Key=checked_key(key))
        )

    async def keys(self, folder: str, *, after: str = "", limit: int = 100) -> list[str]:
        return await self._call(folder, CALL_SECONDS, lambda: self._keys(checked_key(folder), after, limit))

    async def url(self, key: str, *, expires: timedelta, media_type: str, filename: str) -> str | None:
        """The answer's type and name are fixed in the signature, so a bearer of the URL cannot turn it into a page."""
        parameters = {
            "Bucket": self._bucket,
            "Key": checked_key(key),
            "ResponseContentType": media_type,
            "ResponseContentDisposition": f'inline; filename="{checked_filename(filename)}"',
        }
        seconds = int(expires.total_seconds())
        return await self._call(
            key,
            CALL_SECONDS,
            lambda: self._signer.generate_presigned_url("get_object", Params=parameters, ExpiresIn=seconds),
        )

    async def check(self) -> None:
        """Ask for the bucket: is it there, and are we let in."""
        await self._call(self._bucket, CALL_SECONDS, self._check)

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._client.close()
        self._signer.close()

    async def _call(self, key: str, seconds: float, call: Callable[[], T]) -> T:
        """Run `call` in a thread; give up on it after `seconds` (the thread ends by its own time-outs)."""
        loop = asyncio.get_running_loop()
        try:
            with s3_errors(key):
                return await asyncio.wait_for(loop.run_in_executor(self._threads, call), seconds)
        except TimeoutError as error:
            raise StoreUnavailable(f"the object store did not answer within {seconds:g} s") from error

    def _put(self, key: str, data: bytes, media_type: str, if_absent: bool) -> bool:
        upload: PutObjectRequestTypeDef = {
            "Bucket": self._bucket,
            "Key": key,
            "Body": data,
            "ContentType": media_type,
            # The server compares it with what arrived.
            "ChecksumAlgorithm": "SHA256",
        }
        if if_absent:
            upload["IfNoneMatch"] = "*"
        try:
            self._client.put_object(**upload)
        except ClientError as error:
            if error_code(error) in ("PreconditionFailed", "412"):
                return False
            raise
        return True

    def _get(self, key: str) -> bytes:
        with self._client.get_object(Bucket=self._bucket, Key=key)["Body"] as body:
            return body.read()

    def _keys(self, folder: str, after: str, limit: int) -> list[str]:
        page = self._client.list_objects_v2(
            Bucket=self._bucket, Prefix=f"{folder}/", StartAfter=after or f"{folder}/", MaxKeys=limit
        )
        return [entry["Key"] for entry in page.get("Contents", ())]

    def _check(self) -> None:
        try:
            self._client.head_bucket(Bucket=self._bucket)
        except ClientError as error:
            code = error_code(error)
            setting = "s3_bucket" if code == "404" else REFUSALS.get(code)
            words = f"the bucket {self._bucket} cannot be used ({code})"
            raise (StoreRefused(words, setting) if setting else StoreUnavailable(words)) from error


def _client(session: boto3.session.Session, access: S3Access, endpoint: str | None) -> "S3Client":
    return session.client(
        "s3",
        region_name=access.region,
        endpoint_url=endpoint,
        aws_access_key_id=access.access_key,
        aws_secret_access_key=access.secret_key,
        config=Config(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            retries={"total_max_attempts": 1, "mode": "standard"},
            max_pool_connections=THREADS,
            signature_version="s3v4",
            # A server of one's own rarely has a DNS name for each bucket.
            s3={"addressing_style": "path" if endpoint else "auto"},
        ),
    )
