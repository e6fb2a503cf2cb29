"""What tenants prefer where their requests say nothing."""

import asyncio

import pytest

from darkroom.ledger.preferences import MOST_VALUE_CHARS
from darkroom.ledger.protocol import Ledger
from darkroom.ledger.redis import RedisLedger
from tests.integration.ledger.clocks import StillClock
from tests.integration.ledger.conftest import RULES

TTL = RULES.preferences_ttl_ms / 1000


async def test_who_prefers_nothing_has_no_preferences(ledger: Ledger) -> None:
    assert await ledger.preferences("ann", "a1111") == {}


async def test_what_was_preferred_is_answered_whatever_it_is(ledger: Ledger) -> None:
    wanted = {"model": "tiny — “small”", "skip": 2, "previews": False}
    assert await ledger.prefer("ann", "a1111", wanted) == wanted
    assert await ledger.preferences("ann", "a1111") == wanted


async def test_preferences_are_one_tenants_and_of_one_kind(ledger: Ledger) -> None:
    await ledger.prefer("ann", "a1111", {"model": "one"})
    assert await ledger.prefer("ben", "a1111", {"model": "two"}) == {"model": "two"}
    assert await ledger.preferences("ann", "page") == {}
    assert await ledger.preferences("ann", "a1111") == {"model": "one"}


async def test_a_change_leaves_the_others_as_they_are(ledger: Ledger) -> None:
    await ledger.prefer("ann", "a1111", {"model": "one", "skip": 2})
    assert await ledger.prefer("ann", "a1111", {"model": "two"}) == {"model": "two", "skip": 2}


async def test_two_changes_at_once_are_both_made(ledger: Ledger) -> None:
    await asyncio.gather(*(ledger.prefer("ann", "a1111", {name: name}) for name in ("one", "two", "six")))
    assert await ledger.preferences("ann", "a1111") == {"one": "one", "two": "two", "six": "six"}


async def test_none_takes_a_preference_back(ledger: Ledger) -> None:
    await ledger.prefer("ann", "a1111", {"model": "one", "skip": 2})
    assert await ledger.prefer("ann", "a1111", {"model": None, "never": None}) == {"skip": 2}
    assert await ledger.prefer("ann", "a1111", {"skip": None}) == {}


async def test_more_than_a_tenant_may_have_are_refused_and_change_nothing(ledger: Ledger) -> None:
    kept = {"a": 1, "b": 2, "c": 3}
    assert RULES.max_preferences == len(kept)
    await ledger.prefer("ann", "a1111", kept)
    with pytest.raises(ValueError, match="at most 3"):
        await ledger.prefer("ann", "a1111", {"a": 9, "d": 4})
    assert await ledger.preferences("ann", "a1111") == kept
    assert await ledger.prefer("ann", "a1111", {"a": None, "d": 4}) == {"b": 2, "c": 3, "d": 4}


@pytest.mark.parametrize("changes", [{"@used": 1}, {"": 1}, {"a" * 65: 1}, {"a": "x" * MOST_VALUE_CHARS}])
async def test_what_no_ledger_keeps_is_refused(ledger: Ledger, changes: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="a preference"):
        await ledger.prefer("ann", "a1111", changes)


async def test_preferences_that_nobody_asks_for_are_forgotten(ledger: Ledger, clock: StillClock) -> None:
    await ledger.prefer("ann", "a1111", {"model": "one"})
    await clock.advance(TTL - 1)
    assert await ledger.preferences("ann", "a1111") == {"model": "one"}
    await clock.advance(TTL - 1)
    assert await ledger.preferences("ann", "a1111") == {"model": "one"}
    await clock.advance(TTL)
    assert await ledger.preferences("ann", "a1111") == {}


async def test_a_change_after_that_begins_anew(ledger: Ledger, clock: StillClock) -> None:
    await ledger.prefer("ann", "a1111", {"model": "one", "skip": 2})
    await clock.advance(TTL)
    assert await ledger.prefer("ann", "a1111", {"previews": True}) == {"previews": True}


async def test_the_server_forgets_by_itself(ledger: Ledger) -> None:
    if not isinstance(ledger, RedisLedger):
        pytest.skip("a process forgets with its end")
    await ledger.prefer("ann", "a1111", {"model": "one"})
    place = ledger._key("preferences", "a1111", "ann")
    assert TTL - 60 < await ledger._client.ttl(place) <= TTL
    await ledger.prefer("ann", "a1111", {"model": None})
    assert not await ledger._client.exists(place)
