"""Signatures of a delivery that really was made, before the verifiers of others: six of them, none written by us."""

import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
import replicate.webhook
import standardwebhooks

from tests.clients.conftest import RunNode
from tests.clients.flavours import Running
from tests.receiver import OTHER_SECRET, SECRET, Message, receiving

PROMPT = "a red circle on a white background, ∅"
STRANGERS = "whsec_" + "c3RyYW5nZXI" * 3 + "A=="


def by_standardwebhooks(message: Message, secret: str) -> Any:
    return standardwebhooks.Webhook(secret).verify(message.body, message.headers)


def by_openai(message: Message, secret: str) -> Any:
    client = openai.OpenAI(api_key="none", webhook_secret=secret)
    return client.webhooks.unwrap(message.body, message.headers).to_dict()


def by_replicate(message: Message, secret: str) -> Any:
    told = replicate.webhook.WebhookSigningSecret(key=secret)
    replicate.webhook.Webhooks.validate(headers=message.headers, body=message.body.decode(), secret=told)
    return json.loads(message.body)


Verify = Callable[[Message, str], Any]
VERIFIERS: list[Verify] = [by_standardwebhooks, by_openai, by_replicate]
REFUSALS = (
    standardwebhooks.WebhookVerificationError,
    openai.InvalidWebhookSignatureError,
    replicate.webhook.WebhookValidationError,
)


@pytest.fixture(params=["ann", "ben"])
async def delivered(request: pytest.FixtureRequest, keyed: Running) -> AsyncIterator[tuple[str, Message]]:
    """The tenant, and what its receiver was sent when a generation of it had ended."""
    tenant: str = request.param
    async with (
        receiving(port=keyed.receiver_ports[0]) as receiver,
        httpx.AsyncClient(base_url=keyed.url, headers=keyed.headers(tenant)) as client,
    ):
        body = {"prompt": PROMPT, "steps": 2, "webhook_url": receiver.url}
        answer = await client.post("/api/v1/generations", json=body)
        assert answer.status_code == 202, answer.text
        (message,) = await receiver.got(1, seconds=60)
        yield tenant, message


@pytest.mark.parametrize("verify", VERIFIERS)
async def test_pythons_verifiers_take_it(delivered: tuple[str, Message], verify: Verify) -> None:
    tenant, message = delivered
    for secret in {"ann": [SECRET], "ben": [OTHER_SECRET, SECRET]}[tenant]:
        told = verify(message, secret)
        assert told["type"] == "generation.succeeded"
        assert told["data"]["plan"]["prompt"] == PROMPT


@pytest.mark.parametrize("verify", VERIFIERS)
async def test_pythons_verifiers_refuse_what_was_changed_or_is_anothers(
    delivered: tuple[str, Message], verify: Verify
) -> None:
    tenant, message = delivered
    good = SECRET if tenant == "ann" else OTHER_SECRET
    changed = Message(message.headers, message.body.replace(b"succeeded", b"failed", 1))
    for forged, secret in [(message, STRANGERS), (changed, good)]:
        with pytest.raises(REFUSALS):
            verify(forged, secret)


async def test_nodes_verifiers_take_it_and_refuse_what_was_changed_or_is_anothers(
    delivered: tuple[str, Message], node: RunNode, tmp_path: Path
) -> None:
    tenant, message = delivered
    kept = tmp_path / "delivery.json"
    kept.write_text(json.dumps({"headers": message.headers, "body": message.body.decode(), "prompt": PROMPT}))
    secret = SECRET if tenant == "ann" else OTHER_SECRET
    said = node("webhooks.test.mjs", DELIVERY=str(kept), SECRET=secret, STRANGERS=STRANGERS)
    assert "pass 6" in said, said
