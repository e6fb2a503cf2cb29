"""The keys of this installation: the watermark's secret and the signing identity, made in `home` where none are set."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from darkroom.errors import ConfigurationError
from darkroom.provenance.development_pki import development_pki, development_root
from darkroom.provenance.identity import SigningIdentity, last_of_chain
from darkroom.provenance.in_turn import watermarker_of
from darkroom.provenance.keyholders.answers import KeyHolder
from darkroom.provenance.keyholders.command import SigningCommand
from darkroom.provenance.keyholders.service import SigningService
from darkroom.provenance.private_files import kept_secret, read_secret
from darkroom.provenance.timestamping import TimestampAuthority
from darkroom.provenance.trust import Trust, roots_in
from darkroom.provenance.trustmark.networks import NetworkFiles
from darkroom.provenance.tss.ring import MIN_SECRET, Epochs, KeyRing
from darkroom.provenance.watermark import NoWatermarker, Watermarker
from darkroom.services.configuration import variable
from darkroom.settings import OldSecret, Settings

PKI = "pki"
KEPT_SECRETS = ("watermark.key", "webhook.secret", f"{PKI}/authority.pem", f"{PKI}/signer.pem")
NETWORKS = "trustmark-onnx"
SECRET, OLD_SECRETS = "DARKROOM_WATERMARK_SECRET", "DARKROOM_WATERMARK_OLD_SECRETS"
SIGNING_WAYS = ("signing_key", "signing_command", "signing_url")


@dataclass(frozen=True)
class Keys:
    """What marks and signs. Every worker of one installation must come to the same ones."""

    ring: KeyRing
    watermarker: Watermarker
    identity: SigningIdentity


def open_keys(settings: Settings) -> Keys:
    """Read the keys, making what is missing. Raises: ConfigurationError, also for keys that others may read."""
    ring = key_ring(settings, watermark_secret(settings))
    return Keys(ring, open_watermarker(settings, ring), signing_identity(settings))


def open_watermarker(settings: Settings, ring: KeyRing) -> Watermarker:
    """What marks, and reads all that these settings can. Raises: ConfigurationError for networks it cannot use."""
    if settings.watermark == "none":
        return NoWatermarker()
    return watermarker_of(ring, network_files(settings), networks_first=settings.watermark == NETWORKS)


def network_files(settings: Settings) -> NetworkFiles | None:
    """Those of TrustMark, not yet read. Raises: ConfigurationError where they are to mark and are not set."""
    if settings.trustmark is not None:
        return NetworkFiles(**settings.trustmark.model_dump())
    if settings.watermark == NETWORKS:
        raise ConfigurationError("DARKROOM_WATERMARK=trustmark-onnx needs DARKROOM_TRUSTMARK, the networks' files")
    return None


def key_ring(settings: Settings, secret: bytes) -> KeyRing:
    """The keys of this secret and of those before it. Raises: ConfigurationError."""
    older = (_epochs_of(old, settings.watermark_epoch) for old in settings.watermark_old_secrets)
    return KeyRing.of(secret, settings.watermark_epoch, *older)


def _epochs_of(old: OldSecret | SecretStr, newest: int) -> Epochs:
    if isinstance(old, SecretStr):
        return Epochs(_given_secret(old, OLD_SECRETS), newest)
    if old.last_epoch > newest:
        raise ConfigurationError(
            "DARKROOM_WATERMARK_OLD_SECRETS has a last_epoch beyond DARKROOM_WATERMARK_EPOCH, which is never lowered"
        )
    return Epochs(_given_secret(old.secret, OLD_SECRETS), old.last_epoch)


def watermark_secret(settings: Settings) -> bytes:
    """From the settings, or else from `home`/watermark.key, which is made once. Raises: ConfigurationError."""
    if settings.watermark_secret is None:
        return _long_enough(kept_secret(_secret_file(settings)), _secret_file(settings).name)
    return _given_secret(settings.watermark_secret)


def known_secret(settings: Settings) -> bytes | None:
    """As `watermark_secret`, but makes none: None where there is none yet. Raises: ConfigurationError."""
    if settings.watermark_secret is not None:
        return _given_secret(settings.watermark_secret)
    file = _secret_file(settings)
    return _long_enough(read_secret(file), file.name) if file.exists() else None


def kept_secrets(settings: Settings) -> Iterator[Path]:
    """Files of `home` that hold secrets which were made there."""
    return (path for name in KEPT_SECRETS if (path := settings.home_folder / name).exists())


def _secret_file(settings: Settings) -> Path:
    return settings.home_folder / "watermark.key"


def _given_secret(secret: SecretStr, variable: str = SECRET) -> bytes:
    try:
        return _long_enough(bytes.fromhex(secret.get_secret_value()), variable)
    except ValueError:
        # No cause: its words would hold a part of the secret.
        raise ConfigurationError(f"{variable} is not hexadecimal: `darkroom watermark-key` makes one") from None


def signing_identity(settings: Settings) -> SigningIdentity:
    """The configured certificate, or else the development PKI of `home`. Raises: ConfigurationError."""
    chain, key = settings.signing_certificate, settings.signing_key
    ways = [name for name in SIGNING_WAYS if getattr(settings, name)]
    if chain is None and not ways:
        return development_pki(settings.home_folder / PKI)
    if chain is None or not ways:
        raise ConfigurationError(
            f"DARKROOM_SIGNING_CERTIFICATE and one of {', '.join(map(variable, SIGNING_WAYS))} must be set together,"
            " where pictures are signed"
        )
    if len(ways) > 1:
        raise ConfigurationError(
            f"{' and '.join(map(variable, ways))} are set: a certificate has one key, in one place"
        )
    with _naming("signing_certificate", ways[0]):
        return (
            SigningIdentity.from_files(chain, key) if key else SigningIdentity.held_elsewhere(chain, _holder(settings))
        )


def _holder(settings: Settings) -> KeyHolder:
    if settings.signing_url is None:
        return SigningCommand(settings.signing_command, settings.signing_timeout, settings.signing_command_variables)
    token = settings.signing_token.get_secret_value() if settings.signing_token else None
    return SigningService(settings.signing_url, settings.signing_timeout, token, settings.signing_ca)


def timestamp_authority(settings: Settings) -> TimestampAuthority | None:
    """Whom workers ask for the time. Raises: ConfigurationError for roots that cannot be read."""
    if settings.timestamp_url is None:
        return None
    return TimestampAuthority(
        settings.timestamp_url,
        required=settings.timestamp_policy == "required",
        seconds=settings.timestamp_timeout,
        roots_pem=roots_in(settings.timestamp_anchors) if settings.timestamp_anchors else "",
    )


def trusted_signers(settings: Settings) -> Trust:
    """Our own signer and the configured roots, from certificates alone: who verifies needs no key that signs.

    Raises: ConfigurationError.
    """
    chain = settings.signing_certificate
    with _naming("signing_certificate"):
        own = last_of_chain(chain) if chain else development_root(settings.home_folder / PKI)
    with _naming("trust_anchors", "timestamp_anchors"):
        return Trust.of(
            own,
            anchor_files=(settings.trust_anchors,) if settings.trust_anchors else (),
            timestamp_files=timestamp_files(settings),
        )


def timestamp_files(settings: Settings) -> tuple[Path, ...]:
    """Where the roots of timestamp authorities are."""
    return (settings.timestamp_anchors,) if settings.timestamp_anchors else ()


@contextmanager
def _naming(*settings: str) -> Iterator[None]:
    """What is wrong with a file is said of the settings that name it."""
    try:
        yield
    except ConfigurationError as error:
        raise ConfigurationError(f"{', '.join(map(variable, settings))}: {error.detail}") from error


def _long_enough(secret: bytes, named: str) -> bytes:
    if len(secret) < MIN_SECRET:
        raise ConfigurationError(f"{named} has fewer than {MIN_SECRET} bytes: `darkroom watermark-key` makes one")
    return secret
