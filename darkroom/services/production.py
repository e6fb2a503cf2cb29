"""What an installation whose pictures strangers rely on must not be run with."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Final
from urllib.parse import urlsplit

from darkroom.errors import ConfigurationError
from darkroom.provenance.identity import is_for_development
from darkroom.provenance.private_files import read_private
from darkroom.services.keys import kept_secrets, key_ring, known_secret
from darkroom.settings import Settings

OPEN_LEDGER: Final = "DARKROOM_REDIS_URL has no password: `darkroom redis-users` makes users that have"


def refuse_development(settings: Settings) -> None:
    """Nothing outside production. Raises: ConfigurationError that names all there is to set."""
    if settings.production and (problems := list(unfit_for_production(settings))):
        raise ConfigurationError("DARKROOM_PRODUCTION is set: " + "; ".join(problems))


def unfit_for_production(settings: Settings) -> Iterator[str]:
    """What to set, in words, all of it: nobody should have to start a process once for each."""
    yield from _unfit_certificate(settings)
    yield from _unfit_watermark(settings)
    yield from _open_secrets(settings)
    if settings.allow_anonymous:
        yield "unset DARKROOM_ALLOW_ANONYMOUS, with which whoever reaches the gateway is served without a key"
    if _lacks_password(settings.redis_url.get_secret_value()):
        yield OPEN_LEDGER


def refuse_open_ledger(settings: Settings) -> None:
    """What of it concerns a process that neither signs nor serves. Raises: ConfigurationError."""
    if settings.production and _lacks_password(settings.redis_url.get_secret_value()):
        raise ConfigurationError(f"DARKROOM_PRODUCTION is set: {OPEN_LEDGER}")


def _lacks_password(redis_url: str) -> bool:
    """A socket in the file system has its mode instead."""
    parts = urlsplit(redis_url)
    return parts.scheme != "unix" and not parts.password


def _unfit_certificate(settings: Settings) -> Iterator[str]:
    chain = settings.signing_certificate
    if chain is None:
        yield "set DARKROOM_SIGNING_CERTIFICATE, without which a development certificate of this machine would sign"
        return
    try:
        if is_for_development(chain):
            yield f"DARKROOM_SIGNING_CERTIFICATE is {chain.name}, a development certificate"
    except ConfigurationError as error:
        yield f"DARKROOM_SIGNING_CERTIFICATE: {error.detail}"


def _unfit_watermark(settings: Settings) -> Iterator[str]:
    if settings.watermark == "none":
        yield "unset DARKROOM_WATERMARK=none, with which pictures carry no mark that survives stripping"
    if settings.watermark_secret is None:
        yield (
            "set DARKROOM_WATERMARK_SECRET (`darkroom watermark-key` makes one), without which every machine would"
            " make its own and read no other's marks"
        )
        return
    yield from _complaints(lambda: key_ring(settings, known_secret(settings) or b""))


def _open_secrets(settings: Settings) -> Iterator[str]:
    """Also those of `home` that are not used any more: what they marked and signed is still trusted."""
    if settings.signing_key:
        for words in _complaints(partial(read_private, settings.signing_key)):
            yield f"DARKROOM_SIGNING_KEY: {words}"
    for path in kept_secrets(settings):
        yield from _complaints(partial(read_private, path))


def _complaints(check: Callable[[], object]) -> Iterator[str]:
    try:
        check()
    except ConfigurationError as error:
        yield error.detail
