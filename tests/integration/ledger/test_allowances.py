"""So much a minute and no more."""

from darkroom.ledger.protocol import Ledger
from tests.integration.ledger.clocks import StillClock


async def test_an_allowance_may_be_spent_at_once_and_comes_back_bit_by_bit(ledger: Ledger, clock: StillClock) -> None:
    assert [await ledger.spend({"ann": 3}) for _ in range(3)] == [0, 0, 0]
    assert await ledger.spend({"ann": 3}) == 20
    await clock.advance(19.5)
    assert await ledger.spend({"ann": 3}) == 0.5
    await clock.advance(0.5)
    assert await ledger.spend({"ann": 3}) == 0
    assert await ledger.spend({"ann": 3}) == 20
    await clock.advance(3_600)
    assert [await ledger.spend({"ann": 3}) for _ in range(4)] == [0, 0, 0, 20]


async def test_who_is_refused_by_one_allowance_spends_nothing_of_the_other(ledger: Ledger, clock: StillClock) -> None:
    assert await ledger.spend({"ann": 1, "here": 2}) == 0
    assert await ledger.spend({"ann": 1, "here": 2}) == 60
    assert await ledger.spend({"here": 2}) == 0
    assert await ledger.spend({"bob": 1, "here": 2}) == 30


async def test_a_rate_that_divides_no_minute_is_kept(ledger: Ledger) -> None:
    assert [await ledger.spend({"ann": 7}) > 0 for _ in range(8)] == [False] * 7 + [True]
    assert [await ledger.spend({"all": 60_000}) for _ in range(3)] == [0, 0, 0]
