"""`darkroom webhook-secret`, and what the doctor says of webhooks."""

import json
from pathlib import Path

import pytest
from standardwebhooks import Webhook

from darkroom.cli.app import run
from darkroom.cli.webhook_checks import check_webhooks
from darkroom.errors import LedgerUnavailable
from darkroom.ledger.deliveries import Backlog
from darkroom.ledger.redis_deliveries import RedisDeliveries
from darkroom.settings import Settings
from tests.receiver import SECRET

KEYED = {"0" * 64: "studio", "1" * 64: "lab"}


@pytest.fixture(autouse=True)
def no_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DARKROOM_REDIS_URL", raising=False)


def test_a_secret_is_alone_on_stdout_and_can_be_set(capsys: pytest.CaptureFixture[str]) -> None:
    made = []
    for _ in range(2):
        assert run(["webhook-secret", "studio"]) == 0
        shown = capsys.readouterr()
        secret = shown.out.removesuffix("\n")
        assert 'DARKROOM_WEBHOOK_SECRETS=\'{"studio": ["whsec_..."]}\'' in shown.err
        assert secret not in shown.err
        made.append(secret)
        assert Webhook(secret)
        assert Settings.model_validate_json(json.dumps({"webhook_secrets": {"studio": [secret]}}))
    assert made[0] != made[1]


async def test_on_one_machine_webhooks_are_signed_by_themselves(tmp_path: Path) -> None:
    assert await check_webhooks(Settings(home=tmp_path)) == [("ok", "signed for local")]


async def test_tenants_that_could_have_no_webhooks_are_named(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, api_keys=KEYED, webhook_secrets={"lab": [SECRET]})
    ((state, words),) = await check_webhooks(settings)
    assert (state, words) == ("warn", "no secret for studio: requests with a webhook_url are refused")


@pytest.mark.parametrize(
    ("backlog", "state", "words"),
    [
        (Backlog(pending=3, overdue=2.0), "ok", "3 deliveries wait"),
        (Backlog(pending=3, overdue=61.0), "warn", "3 deliveries wait, one of them 61 s too long: is there a courier?"),
    ],
)
async def test_deliveries_that_nobody_makes_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, backlog: Backlog, state: str, words: str
) -> None:
    async def found(_: RedisDeliveries) -> Backlog:
        return backlog

    monkeypatch.setattr(RedisDeliveries, "backlog", found)
    settings = Settings(home=tmp_path, redis_url="redis://127.0.0.1:1/0", webhook_secrets={"local": [SECRET]})
    assert await check_webhooks(settings) == [("ok", "signed for local"), (state, words)]


async def test_a_ledger_that_is_away_has_its_own_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(_: RedisDeliveries) -> Backlog:
        raise LedgerUnavailable("away")

    monkeypatch.setattr(RedisDeliveries, "backlog", away)
    settings = Settings(home=tmp_path, redis_url="redis://127.0.0.1:1/0", webhook_secrets={"local": [SECRET]})
    assert await check_webhooks(settings) == [("ok", "signed for local")]


async def test_the_doctor_knows_of_a_schedule_that_is_longer_than_records_are_kept(tmp_path: Path) -> None:
    (_, (state, words)) = await check_webhooks(Settings(home=tmp_path, result_ttl=3600, webhook_schedule=(0, 3600)))
    assert (state, words) == (
        "warn",
        "the schedule takes 3600 s, and records are kept for 3600 s: the last attempts have nothing to say",
    )
