"""What receivers hear of jobs that were asked for in the words of Replicate."""

import json
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import SecretStr
from replicate.webhook import InvalidSignatureError, Webhooks, WebhookSigningSecret

from darkroom.contract.webhook import LentDelivery
from darkroom.services import Services
from darkroom.webhooks.message import message
from darkroom.webhooks.signing import Signer
from tests.fakes import fake_services
from tests.gateway import client_of, fail_one, finish_one
from tests.receiver import OTHER_SECRET, SECRET

BASE = "https://pictures.example"
ASKED = {"input": {"prompt": "a cat"}, "webhook": "https://receiver.example/"}


async def told(end: Callable[[Services], Coroutine[Any, Any, Any]]) -> str:
    services = fake_services(webhook_secrets={"local": [SECRET]})
    async with client_of(services) as client:
        answer = await client.post("/replicate/v1/models/a/tiny/predictions", json=ASKED)
        assert answer.status_code == 201, answer.text
        job = await end(services)
    lent = LentDelivery(
        id="msg_1",
        tenant="local",
        job_id=job.id,
        event="generation.succeeded",
        url=ASKED["webhook"],
        base=BASE,
        lane="receiver.example local",
        created_at=0.0,
        number=1,
        turn=0,
        body=None,
    )
    return message(lent, job, kept_for=60)


async def test_a_receiver_is_told_the_prediction_and_nothing_around_it() -> None:
    prediction = json.loads(await told(finish_one))
    assert (prediction["status"], prediction["input"]["prompt"]) == ("succeeded", "a cat")
    assert prediction["output"] == [f"{BASE}/api/v1/generations/{prediction['id']}/images/0"]
    assert prediction["urls"]["get"] == f"{BASE}/replicate/v1/predictions/{prediction['id']}"
    assert "type" not in prediction


async def test_a_failure_is_told_in_words() -> None:
    prediction = json.loads(await told(fail_one))
    assert (prediction["status"], prediction["error"]) == ("failed", "the device ran out of memory")


async def test_replicate_s_own_check_takes_the_signature() -> None:
    body = await told(finish_one)
    headers = Signer({"local": [SecretStr(SECRET)]}).headers("local", "msg_1", datetime.now(UTC), body)
    Webhooks.validate(headers=headers, body=body, secret=WebhookSigningSecret(key=SECRET), tolerance=60)
    with pytest.raises(InvalidSignatureError):
        Webhooks.validate(headers=headers, body=body, secret=WebhookSigningSecret(key=OTHER_SECRET))
