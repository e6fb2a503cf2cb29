"""The keys of this installation: the watermark's secret and the signing identity, made in `home` where none are set."""

from dataclasses import dataclass, field

from darkroom.errors import ConfigurationError
from darkroom.provenance.development_pki import development_pki
from darkroom.provenance.identity import SigningIdentity
from darkroom.provenance.private_files import kept_secret
from darkroom.provenance.tss.watermarker import TssWatermarker
from darkroom.provenance.watermark import NoWatermarker, Watermarker
from darkroom.settings import Settings

MIN_SECRET_BYTES = 16


@dataclass(frozen=True)
class Keys:
    """What marks and signs. Every process of one installation must come to the same ones."""

    watermark_secret: bytes = field(repr=False)
    watermarker: Watermarker
    identity: SigningIdentity


def open_keys(settings: Settings) -> Keys:
    """Read the keys, making what is missing. Raises: ConfigurationError, also for keys that others may read."""
    secret = watermark_secret(settings)
    watermarker = TssWatermarker(secret) if settings.watermark == "tss" else NoWatermarker()
    return Keys(secret, watermarker, signing_identity(settings))


def watermark_secret(settings: Settings) -> bytes:
    """From the settings, or else from `home`/watermark.key, which is made once. Raises: ConfigurationError."""
    if settings.watermark_secret is None:
        return _long_enough(kept_secret(settings.home_folder / "watermark.key"))
    try:
        return _long_enough(bytes.fromhex(settings.watermark_secret.get_secret_value()))
    except ValueError:
        # No cause: its words would hold a part of the secret.
        raise ConfigurationError("watermark_secret is not hexadecimal") from None


def signing_identity(settings: Settings) -> SigningIdentity:
    """The configured certificate, or else the development PKI of `home`. Raises: ConfigurationError."""
    chain, key = settings.signing_certificate, settings.signing_key
    if chain is None and key is None:
        return development_pki(settings.home_folder / "pki")
    if chain is None or key is None:
        raise ConfigurationError("signing_certificate and signing_key must be set together")
    return SigningIdentity.from_files(chain, key)


def _long_enough(secret: bytes) -> bytes:
    if len(secret) < MIN_SECRET_BYTES:
        raise ConfigurationError(f"the watermark secret has fewer than {MIN_SECRET_BYTES} bytes")
    return secret
