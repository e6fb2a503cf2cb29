"""One attempt at a delivery, and on whose behalf it is made."""

from pydantic import SecretStr

from darkroom.contract.webhook import LentDelivery
from darkroom.outbound import Guard
from darkroom.webhooks.sending import Sender
from darkroom.webhooks.signing import Signer
from tests.receiver import SECRET

LENT = LentDelivery(
    id="msg_01ARZ3NDEKTSV4RRFFQ69G5FAV_1",
    tenant="bob",
    job_id="01ARZ3NDEKTSV4RRFFQ69G5FAV",
    event="generation.canceled",
    url="http://127.0.0.1/",
    base="http://127.0.0.1:8000",
    lane="bob 127.0.0.1",
    created_at=0.0,
    number=1,
    turn=0,
    body=None,
)


async def test_a_receivers_name_is_looked_up_on_behalf_of_its_tenant() -> None:
    asked_by: list[str] = []

    class Noting(Guard):
        def on_behalf_of(self, tenant: str) -> Guard:
            asked_by.append(tenant)
            return self

    sender = Sender(Noting(), Signer({"bob": [SecretStr(SECRET)]}), 5.0)
    sent = await sender.send(LENT, "{}")
    assert (asked_by, sent.outcome) == (["bob"], "refused")
