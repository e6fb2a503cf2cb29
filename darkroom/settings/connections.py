"""Settings of what all processes stand on."""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings

from darkroom.settings.kinds import HttpUrl, RedisUrl


class Connections(BaseSettings):
    """Home, ledger and store."""

    home: Path = Field(
        default=Path("~/.darkroom"), description="folder for keys, development certificates and local stores"
    )

    redis_url: RedisUrl = Field(default=SecretStr("redis://127.0.0.1:6379/0"), description="ledger, events and bells")
    redis_timeout: float = Field(default=2.0, gt=0, le=2.0, description="seconds before a Redis call is given up")
    key_prefix: str = Field(default="darkroom", description="first part of every Redis key")

    store: Literal["folder", "s3"] = Field(default="folder", description="where pictures live")
    store_folder: Path | None = Field(default=None, description="folder of the `folder` store; `home`/store if unset")
    s3_endpoint: HttpUrl | None = Field(default=None, description="S3 endpoint that our own processes use")
    s3_public_endpoint: HttpUrl | None = Field(
        default=None, description="S3 endpoint that presigned URLs name; `s3_endpoint` if unset"
    )
    s3_bucket: str = Field(default="darkroom", description="bucket of the `s3` store")
    s3_region: str = Field(default="us-east-1", description="region of the `s3` store")
    s3_access_key: SecretStr | None = Field(default=None, description="access key; boto3's own chain if unset")
    s3_secret_key: SecretStr | None = Field(default=None, description="secret key; boto3's own chain if unset")
