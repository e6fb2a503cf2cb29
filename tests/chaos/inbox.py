"""A receiver of webhooks that is as unreliable as they are: while it storms, half of its answers are 5xx or none."""

import asyncio
import json
import random
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field

from standardwebhooks import Webhook, WebhookVerificationError

from tests.receiver import SECRET, Message, Receiver, says

HANG_SECONDS = 4.0  # longer than a courier waits


@dataclass
class Inbox:
    """`taken` and `sent`: messages by the job they tell of, those answered with 2xx and all."""

    draws: random.Random
    bad_share: float = 0.5
    sent: defaultdict[str, list[Message]] = field(default_factory=lambda: defaultdict(list))
    taken: defaultdict[str, list[Message]] = field(default_factory=lambda: defaultdict(list))
    forged: int = 0

    async def answer(self, receiver: Receiver, message: Message, writer: asyncio.StreamWriter) -> None:
        try:
            Webhook(SECRET).verify(message.body, message.headers)
        except WebhookVerificationError:
            self.forged += 1
        job_id = json.loads(message.body)["data"]["id"]
        self.sent[job_id].append(message)
        if self.draws.random() < self.bad_share:
            kind = self.draws.choice((says(500), says(503), _hangs))
            return await kind(receiver, message, writer)
        self.taken[job_id].append(message)
        return await says(204)(receiver, message, writer)

    def wrong_with(self, job_id: str, state: str) -> list[tuple[bool, str]]:
        """What is wrong with how a job's end was told: (whether it came twice, rather than not at all; in words)."""
        messages = self.sent[job_id]
        found = []
        if not self.taken[job_id]:
            found.append((False, f"nobody took a webhook of its end, of {len(messages)} sent"))
        if len({message.id for message in messages}) > 1:
            found.append((True, f"webhooks with ids {sorted({message.id for message in messages})}"))
        if len({message.body for message in messages}) > 1:
            found.append((True, "webhooks with one id and different bodies"))
        if kinds := {json.loads(message.body)["type"] for message in messages} - {f"generation.{state}"}:
            found.append((True, f"is {state}, and webhooks say {sorted(kinds)}"))
        return found


async def _hangs(receiver: Receiver, message: Message, writer: asyncio.StreamWriter) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(receiver.closing.wait(), HANG_SECONDS)
