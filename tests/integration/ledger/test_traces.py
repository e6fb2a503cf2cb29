"""The trace of a request goes with its job, to whoever works for it, and is no part of what is made."""

from darkroom.ledger.protocol import Ledger
from tests.integration.ledger.clocks import StillClock
from tests.integration.ledger.making import claimed, submission, submitted, webhook
from tests.integration.ledger.test_deliveries import take

SENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


async def test_a_claim_has_the_trace_of_its_submission(ledger: Ledger) -> None:
    await submitted(ledger, trace=SENT)
    claim = await claimed(ledger)
    assert claim.trace == SENT
    assert SENT not in claim.plan.model_dump_json()


async def test_so_has_every_further_attempt(ledger: Ledger) -> None:
    await submitted(ledger, trace=SENT)
    first = await claimed(ledger)
    await ledger.release(first.job_id, first.attempt)
    assert (await claimed(ledger)).trace == SENT


async def test_a_delivery_has_the_trace_of_its_job(ledger: Ledger, clock: StillClock) -> None:
    await ledger.cancel("ann", await submitted(ledger, trace=SENT, webhook=webhook()))
    (lent,) = await take(ledger)
    assert lent.trace == SENT


async def test_a_job_without_a_trace_has_none_anywhere(ledger: Ledger) -> None:
    await submitted(ledger, webhook=webhook())
    claim = await claimed(ledger)
    await ledger.cancel("ann", claim.job_id)
    (lent,) = await take(ledger)
    assert (claim.trace, lent.trace) == (None, None)


async def test_a_repeated_request_does_not_take_its_job_into_another_trace(ledger: Ledger) -> None:
    await ledger.submit(submission(key="k", trace=SENT))
    await ledger.submit(submission(key="k", trace=SENT.replace("0af7", "ffff")))
    assert (await claimed(ledger)).trace == SENT
