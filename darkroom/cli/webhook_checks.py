"""What the doctor says of webhooks: who could not have any, and whether any wait for a courier."""

from typing import Literal

from darkroom.errors import UnavailableError
from darkroom.ledger.redis import RedisLedger
from darkroom.services.webhook_secrets import TENANT
from darkroom.settings import Settings

MOST_OVERDUE_SECONDS = 60.0

Verdict = tuple[Literal["ok", "warn", "fail"], str]


async def check_webhooks(settings: Settings) -> list[Verdict]:
    """Secrets for all who may call, and deliveries that nobody makes."""
    if "redis_url" not in settings.model_fields_set:
        return [_judge_secrets(settings, kept=True), *_judge_schedule(settings)]
    return [_judge_secrets(settings, kept=False), *_judge_schedule(settings), *await _judge_backlog(settings)]


def _judge_secrets(settings: Settings, *, kept: bool) -> Verdict:
    """`kept`: `darkroom up` makes one where none is set."""
    callers = set(settings.api_keys.values()) or {TENANT}
    signed = set(settings.webhook_secrets) or ({TENANT} if kept else set())
    if missing := sorted(callers - signed):
        return "warn", f"no secret for {', '.join(missing)}: requests with a webhook_url are refused"
    return "ok", f"signed for {', '.join(sorted(callers))}"


def _judge_schedule(settings: Settings) -> list[Verdict]:
    """What a message says ends with the record it tells of."""
    whole = sum(settings.webhook_schedule)
    if whole < settings.result_ttl:
        return []
    words = f"the schedule takes {whole:.0f} s, and records are kept for {settings.result_ttl} s"
    return [("warn", f"{words}: the last attempts have nothing to say")]


async def _judge_backlog(settings: Settings) -> list[Verdict]:
    ledger = RedisLedger.from_settings(settings)
    try:
        backlog = await ledger.deliveries.backlog()
    except UnavailableError:
        return []  # which has a line of its own
    finally:
        await ledger.close()
    if backlog.overdue < MOST_OVERDUE_SECONDS:
        return [("ok", f"{backlog.pending} deliveries wait")]
    late = f"one of them {backlog.overdue:.0f} s too long: is there a courier?"
    return [("warn", f"{backlog.pending} deliveries wait, {late}")]
