"""What the doctor says of settings: all that would keep a process from starting, before one is started."""

import os
from collections.abc import Callable, Iterator
from typing import Final, Literal

from darkroom.catalog import open_catalog
from darkroom.errors import ConfigurationError
from darkroom.provenance.label import Label
from darkroom.services.configuration import environment_faults, unknown
from darkroom.services.keys import key_ring, known_secret, network_files, trusted_signers
from darkroom.services.screens import refuse_unknown_tenants
from darkroom.services.startup import refuse_bad_settings, refuse_short_retention, require_aliased_models
from darkroom.settings import Settings

Verdict = tuple[Literal["ok", "warn", "fail"], str]

# What does not go together, or names what is not there. None of them makes anything.
CONTRADICTIONS: Final[tuple[Callable[[Settings], object], ...]] = (
    refuse_bad_settings,
    refuse_unknown_tenants,
    refuse_short_retention,
    lambda settings: require_aliased_models(open_catalog(settings, remember=False), settings),
    lambda settings: key_ring(settings, known_secret(settings) or bytes(32)),
    lambda settings: Label("", settings.visible_label_font).check(),
    lambda settings: trusted_signers(settings) if settings.signing_certificate else None,
    network_files,
)


def readable_environment() -> list[Verdict]:
    """What cannot be read or is misspelt; it is taken out of the environment of this process, so that all else can be
    looked at."""
    faults = environment_faults(os.environ)
    for fault in faults:
        os.environ.pop(fault.variable, None)
    return [("fail", f"{name}: {words}") for name, words in faults]


async def check_settings(settings: Settings) -> list[Verdict]:
    """Contradictions, all of them; and variables that nothing reads."""
    verdicts = [*_contradictions(settings), *_lacks(settings)]
    verdicts += [("warn", f"{name} is read by nothing") for name in unknown(os.environ)]
    return verdicts or [("ok", "nothing that contradicts another")]


def _contradictions(settings: Settings) -> Iterator[Verdict]:
    for check in CONTRADICTIONS:
        try:
            check(settings)
        except ConfigurationError as error:
            yield "fail", error.detail


def _lacks(settings: Settings) -> Iterator[Verdict]:
    if settings.store == "s3" and settings.s3_access_key is None:
        yield "warn", "DARKROOM_S3_ACCESS_KEY is not set: boto3 looks for keys where it always does"
    if settings.store == "s3" and settings.s3_endpoint is None:
        yield "warn", "DARKROOM_S3_ENDPOINT is not set: pictures go to Amazon"
