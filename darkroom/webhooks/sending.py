"""One attempt at a delivery: signed, under guard, timed."""

import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from darkroom.contract.webhook import Attempt, Fault, LentDelivery
from darkroom.errors import UrlRefused, UrlUnreachable
from darkroom.outbound import Answer, Guard, Limits, post
from darkroom.webhooks.signing import Signer

MOST_ANSWER_BYTES: Final = 1024


@dataclass(frozen=True)
class Sent:
    """What became of an attempt; `retry_after` is the receiver's, as it stands."""

    attempt: Attempt
    retry_after: str | None = None

    @property
    def outcome(self) -> str:
        """In one of a few words: 2xx, 5xx, timeout."""
        status = self.attempt.status
        return f"{status // 100}xx" if status is not None else str(self.attempt.fault)


@dataclass(frozen=True)
class Sender:
    """`seconds` is what one attempt may take in all. `clock` gives Unix seconds, by which receivers judge its age."""

    guard: Guard
    signer: Signer
    seconds: float
    tls: ssl.SSLContext | None = None
    clock: Callable[[], float] = time.time

    async def send(self, lent: LentDelivery, body: str) -> Sent:
        """Never raises for what a receiver does."""
        at, started = self.clock(), time.monotonic()
        answer = await self._answer(lent, body, at)
        told = answer if isinstance(answer, Answer) else None
        return Sent(
            Attempt(
                number=lent.number,
                at=at,
                status=told.status if told else None,
                fault=None if isinstance(answer, Answer) else answer,
                milliseconds=round((time.monotonic() - started) * 1000),
            ),
            told.retry_after if told else None,
        )

    def broken(self, lent: LentDelivery) -> Sent:
        """An attempt that never left, by a fault on our side."""
        return Sent(Attempt(number=lent.number, at=self.clock(), status=None, fault="internal", milliseconds=0))

    async def _answer(self, lent: LentDelivery, body: str, at: float) -> Answer | Fault:
        if not self.signer.can_sign_for(lent.tenant):
            return "no_secret"
        headers = self.signer.headers(lent.tenant, lent.id, datetime.fromtimestamp(at, UTC), body)
        guard = self.guard.on_behalf_of(lent.tenant)
        try:
            return await post(
                lent.url, body.encode(), headers, Limits(MOST_ANSWER_BYTES, self.seconds), guard, self.tls
            )
        except UrlRefused:
            return "refused"
        except UrlUnreachable:
            return "unreachable"
        except TimeoutError:
            return "timeout"
