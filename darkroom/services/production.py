"""What an installation whose pictures strangers rely on must not be run with."""

from collections.abc import Iterator

from darkroom.errors import ConfigurationError
from darkroom.provenance.identity import is_for_development
from darkroom.settings import Settings


def refuse_development(settings: Settings) -> None:
    """Nothing outside production. Raises: ConfigurationError that names all there is to set."""
    if settings.production and (problems := list(unfit_for_production(settings))):
        raise ConfigurationError("DARKROOM_PRODUCTION is set: " + "; ".join(problems))


def unfit_for_production(settings: Settings) -> Iterator[str]:
    """What to set, in words. Raises: ConfigurationError for a certificate that cannot be read."""
    if settings.signing_certificate is None:
        yield "set DARKROOM_SIGNING_CERTIFICATE, without which a development certificate of this machine would sign"
    elif is_for_development(settings.signing_certificate):
        yield f"DARKROOM_SIGNING_CERTIFICATE is {settings.signing_certificate.name}, a development certificate"
    if settings.watermark == "none":
        yield "unset DARKROOM_WATERMARK=none, with which pictures carry no mark that survives stripping"
