"""What an installation of several containers begins with: fresh secrets, and the files that hold them."""

import hashlib
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from darkroom.errors import ConfigurationError
from darkroom.provenance.development_pki import development_pki
from darkroom.provenance.private_files import write_private
from darkroom.services.redis_users import acl_file, fresh_passwords
from darkroom.services.webhook_secrets import fresh_secret

SECRETS: Final = Path("deploy/compose/secrets")
DATA: Final = Path("deploy/compose/data")
MODELS: Final = Path("deploy/compose/models")
METRICS: Final = "metrics"  # a tenant that only looks at them
KEPT: Final = ("ledger", "pictures", "measured", "boards")


def fresh_key() -> tuple[str, str]:
    """An API key, and the SHA-256 that the service knows it by."""
    made = f"dk_{secrets.token_urlsafe(32)}"
    return made, hashlib.sha256(made.encode()).hexdigest()


@dataclass(frozen=True)
class Fresh:
    """Secrets that nobody has seen before, but for `key`, which its `tenant` is told."""

    tenant: str
    key: str
    digest: str
    metrics_key: str
    metrics_digest: str
    passwords: Mapping[str, str]
    watermark: str
    webhooks: str
    s3: tuple[str, str]

    @classmethod
    def of(cls, tenant: str) -> "Fresh":
        keys = (*fresh_key(), *fresh_key())
        s3 = (f"dk{secrets.token_hex(9)}", secrets.token_hex(20))
        return cls(tenant, *keys, fresh_passwords(), secrets.token_hex(32), fresh_secret(), s3)

    def store(self) -> dict[str, str]:
        return {"DARKROOM_S3_ACCESS_KEY": self.s3[0], "DARKROOM_S3_SECRET_KEY": self.s3[1]}

    def keys(self) -> dict[str, str]:
        return {"DARKROOM_API_KEYS": json.dumps({self.digest: self.tenant, self.metrics_digest: METRICS})}

    def marks(self) -> dict[str, str]:
        return {"DARKROOM_WATERMARK_SECRET": self.watermark}

    def hooks(self) -> dict[str, str]:
        return {"DARKROOM_WEBHOOK_SECRETS": json.dumps({self.tenant: [self.webhooks]})}

    def redis(self, role: str) -> dict[str, str]:
        return {"DARKROOM_REDIS_URL": f"redis://{role}:{self.passwords[role]}@valkey:6379/0"}


def begin(folder: Path, tenant: str) -> str:
    """Write `.env` and the files that docker-compose.yml mounts, below `folder`; returns the tenant's new API key.

    All may be read by their owner alone. The certificate is one for development, named so. Raises: ConfigurationError
    where any of them is there already: whoever uses them would be locked out.
    """
    _refuse_what_is_there(folder / ".env", folder / SECRETS)
    fresh = Fresh.of(tenant)
    for each in (MODELS, *(DATA / name for name in KEPT)):
        (folder / each).mkdir(parents=True, exist_ok=True)
    (folder / SECRETS).mkdir(mode=0o700, parents=True)
    _write_users(folder / SECRETS, fresh)
    _write_certificate(folder / SECRETS, "signing.pem", "signing.key")
    write_private(folder / SECRETS / "metrics.key", fresh.metrics_key.encode())
    passwords = {f"REDIS_{user.upper()}_PASSWORD": password for user, password in fresh.passwords.items()}
    ours = {"DARKROOM_UID": str(os.getuid()), "DARKROOM_GID": str(os.getgid())}
    variables = ours | fresh.keys() | fresh.marks() | fresh.hooks() | fresh.store() | passwords
    write_private(folder / ".env", _lines(variables | {"GRAFANA_PASSWORD": secrets.token_urlsafe(18)}).encode())
    return fresh.key


def begin_in_kubernetes(folder: Path, tenant: str) -> str:
    """Write into `folder` what the secrets of the overlay `dev` are made of; returns the tenant's new API key.

    Raises: ConfigurationError where it is there already.
    """
    _refuse_what_is_there(folder)
    fresh = Fresh.of(tenant)
    folder.mkdir(mode=0o700, parents=True)
    _write_users(folder, fresh)
    _write_certificate(folder, "tls.crt", "tls.key")
    known = {
        "store": fresh.store(),
        "gateway": fresh.redis("gateway") | fresh.keys() | fresh.marks() | fresh.hooks(),
        "courier": fresh.redis("courier") | fresh.hooks(),
        "worker": fresh.redis("worker") | fresh.marks(),
    }
    write_private(folder / "metrics.key", fresh.metrics_key.encode())
    for name, variables in known.items():
        bare = "".join(f"{variable}={value}\n" for variable, value in variables.items())
        write_private(folder / f"{name}.env", bare.encode())
    return fresh.key


def _refuse_what_is_there(*paths: Path) -> None:
    for path in paths:
        if path.exists():
            raise ConfigurationError(f"{path.name} is there already: what uses its secrets would stop")


def _write_users(folder: Path, fresh: Fresh) -> None:
    write_private(folder / "users.acl", acl_file("darkroom", fresh.passwords).encode())


def _lines(variables: Mapping[str, str]) -> str:
    """In single quotes, in which Compose takes everything as it stands; no value of ours has one."""
    head = "# Written once by `darkroom secrets`. What else can be set: .env.example\n"
    return head + "".join(f"{name}='{value}'\n" for name, value in variables.items())


def _write_certificate(folder: Path, chain: str, key: str) -> None:
    """A chain and its key, of a development PKI whose own folder stays beside them."""
    development_pki(folder / "pki")
    private, leaf, intermediate = _blocks((folder / "pki" / "signer.pem").read_text())
    write_private(folder / key, private.encode())
    write_private(folder / chain, (leaf + intermediate).encode())


def _blocks(text: str) -> list[str]:
    return [f"-----BEGIN {block}" for block in text.split("-----BEGIN ")[1:]]
