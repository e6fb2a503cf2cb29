"""Timestamp authorities in every mood, and pictures that were stamped by them."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Any

from darkroom.provenance import SigningIdentity, TssWatermarker
from darkroom.provenance.manifest import manifest
from darkroom.provenance.signing import CredentialSigner, Signed
from darkroom.provenance.times import Times
from darkroom.provenance.timestamping import TimestampAuthority
from darkroom.provenance.watermark import mark_value
from tests.servers.posts import Answer, Served, served
from tests.servers.timestamping import SEQUENCE, Authority, der, integer
from tests.unit.provenance.making import MARK_ID, encoded, facts, shapes

DEFINITION = manifest(facts(), TssWatermarker.alg, mark_value(MARK_ID))
REJECTED = der(SEQUENCE, der(SEQUENCE, integer(2)))


def honest(**changed: Any) -> Answer:
    authority = Authority(**changed)
    return lambda query: (200, authority.answer(query))


def off_by(skew: timedelta) -> Answer:
    return honest(clock=lambda: datetime.now(UTC) + skew)


FAULTS: dict[str, Answer] = {
    "says it cannot": lambda _: (503, b""),
    "rejects": lambda _: (200, REJECTED),
    "answers garbage": lambda _: (200, b"garbage"),
    "answers nothing": lambda _: (200, b""),
    "floods": lambda _: (200, bytes(1 << 17)),
    "answers another nonce": honest(changed=lambda question: replace(question, nonce=7)),
    "answers without the nonce": honest(changed=lambda question: replace(question, nonce=None)),
    "stamps another hash": honest(changed=lambda question: replace(question, imprint=question.imprint[:-1] + b"x")),
    "has a clock that is an hour behind": off_by(timedelta(hours=-1)),
    "has a clock that is an hour ahead": off_by(timedelta(hours=1)),
    "has a clock of another year": off_by(timedelta(days=300)),
}


def signer_by(identity: SigningIdentity, authority: TimestampAuthority) -> CredentialSigner:
    return CredentialSigner(identity, times=Times(identity, authority))


@contextmanager
def signing(
    identity: SigningIdentity, answer: Answer, *, hold: Event | None = None, **authority: Any
) -> Iterator[tuple[CredentialSigner, Served]]:
    """A signer that asks an authority which answers so."""
    with served(answer, hold=hold) as asked:
        signer = signer_by(identity, TimestampAuthority(asked.url, **authority))
        try:
            yield signer, asked
        finally:
            signer.close()


def sign(signer: CredentialSigner) -> Signed:
    return signer.sign(encoded(shapes(64, 64)), "image/png", DEFINITION)


def nowhere() -> str:
    """A URL at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return f"http://127.0.0.1:{taken.getsockname()[1]}/"
