"""Signatures, as a receiver checks them with the library of the specification."""

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from darkroom.errors import ConfigurationError
from darkroom.services.configuration import load_settings
from darkroom.webhooks.signing import Signer
from tests.receiver import OTHER_SECRET, SECRET

BODY = '{"type":"generation.succeeded","data":{"prompt":"∅"}}'


def headers(*secrets: str, at: datetime | None = None) -> dict[str, str]:
    signer = Signer({"ann": [SecretStr(secret) for secret in secrets]})
    return signer.headers("ann", "msg_1", at or datetime.now(UTC), BODY)


def test_a_receiver_believes_what_we_signed() -> None:
    assert Webhook(SECRET).verify(BODY, headers(SECRET)) == {"type": "generation.succeeded", "data": {"prompt": "∅"}}


@pytest.mark.parametrize("secret", [SECRET, OTHER_SECRET])
def test_while_secrets_change_both_are_good(secret: str) -> None:
    sent = headers(SECRET, OTHER_SECRET)
    assert len(sent["webhook-signature"].split(" ")) == 2
    assert Webhook(secret).verify(BODY, sent)


def test_another_tenants_secret_is_not() -> None:
    with pytest.raises(WebhookVerificationError, match="No matching"):
        Webhook(OTHER_SECRET).verify(BODY, headers(SECRET))
    with pytest.raises(KeyError):
        Signer({}).headers("ann", "msg_1", datetime.now(UTC), BODY)


@pytest.mark.parametrize("name", ["body", "webhook-id", "webhook-timestamp"])
def test_a_message_that_was_changed_is_refused(name: str) -> None:
    sent = headers(SECRET)
    body = BODY
    if name == "body":
        body = BODY.replace("succeeded", "failed")
    elif name == "webhook-id":
        sent[name] = "msg_2"
    else:
        sent[name] = str(int(sent[name]) + 1)
    with pytest.raises(WebhookVerificationError, match="No matching"):
        Webhook(SECRET).verify(body, sent)


@pytest.mark.parametrize("minutes", [-5.1, 5.1])
def test_a_message_that_is_replayed_after_five_minutes_is_refused(minutes: float) -> None:
    with pytest.raises(WebhookVerificationError, match="timestamp too"):
        Webhook(SECRET).verify(BODY, headers(SECRET, at=datetime.now(UTC) + timedelta(minutes=minutes)))


@pytest.mark.parametrize(
    "given",
    [
        '{"ann": []}',
        f'{{"ann": ["{SECRET}", "{OTHER_SECRET}", "{SECRET}"]}}',
        '{"ann": ["whsec_c2hvcnQ="]}',
        '{"ann": ["MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]}',
        '{"ann": ["whsec_not base64"]}',
        '{"ann": ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwA"]}',
    ],
)
def test_secrets_that_nobody_could_sign_with_are_refused_without_being_shown(
    given: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DARKROOM_WEBHOOK_SECRETS", given)
    with pytest.raises(ConfigurationError, match="DARKROOM_WEBHOOK_SECRETS") as refused:
        load_settings()
    assert "MfKQ" not in str(refused.value)
