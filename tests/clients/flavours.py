"""The ways in which the service is started for the packages of others."""

import hashlib
import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from darkroom.ledger.server import free_port
from tests.e2e.demo.service import up
from tests.receiver import OTHER_SECRET, SECRET
from tests.servers.seaweedfs import S3Server

TENANTS = ("ann", "ben")
# That of `ben` is being changed: its messages carry two signatures.
WEBHOOK_SECRETS = {"local": [SECRET], "ann": [SECRET], "ben": [OTHER_SECRET, SECRET]}
RECEIVERS = 4


@dataclass(frozen=True)
class Running:
    """A service that is open at `url`.

    `keys` holds an API key by tenant, and is empty where none is asked for. Webhooks may go to 127.0.0.1 at
    `receiver_ports` alone, signed with the secret of `webhook_secret`.
    """

    url: str
    home: Path
    keys: dict[str, str] = field(repr=False)
    receiver_ports: tuple[int, ...]

    def webhook_secret(self, tenant: str) -> str:
        return WEBHOOK_SECRETS[tenant][0]

    def environment(self, tenant: str = "ann") -> dict[str, str]:
        """What a client program is told of it, as a user would tell it."""
        key = {"DARKROOM_API_KEY": self.keys[tenant]} if self.keys else {}
        return {"DARKROOM_URL": self.url, **key}

    def headers(self, tenant: str = "ann") -> dict[str, str]:
        return {"Authorization": f"Bearer {self.keys[tenant]}"} if self.keys else {}


@contextmanager
def run_anonymous(home: Path) -> Iterator[Running]:
    with _started(home, {}) as running:
        yield running


@contextmanager
def run_keyed(home: Path, **settings: str) -> Iterator[Running]:
    keys = {tenant: f"dk_{secrets.token_hex(16)}" for tenant in TENANTS}
    digests = {hashlib.sha256(key.encode()).hexdigest(): tenant for tenant, key in keys.items()}
    with _started(home, keys, DARKROOM_API_KEYS=json.dumps(digests), **settings) as running:
        yield running


@contextmanager
def run_on_s3(home: Path, server: S3Server) -> Iterator[Running]:
    settings = {f"DARKROOM_{name.upper()}": value for name, value in server.settings().items()}
    with run_keyed(home, **settings) as running:
        yield running


@contextmanager
def _started(home: Path, keys: dict[str, str], **settings: str) -> Iterator[Running]:
    ports = tuple(free_port() for _ in range(RECEIVERS))
    of_tests = {
        "DARKROOM_STANDBY": "false",
        "DARKROOM_THREADS": "1",
        "DARKROOM_OUTBOUND_ALLOW": '["127.0.0.0/8"]',
        "DARKROOM_OUTBOUND_PORTS": json.dumps([80, 443, *ports]),
        "DARKROOM_WEBHOOK_SECRETS": json.dumps(WEBHOOK_SECRETS),
    }
    with up(home, **of_tests, **settings) as service:
        yield Running(service.url, home, keys, ports)
        # Else its tests only said that nobody listens any more.
        ended, said = service.process.poll(), service.process.stderr
        assert ended is None, f"the service ended by itself ({ended}): {said.read() if said else ''}"
