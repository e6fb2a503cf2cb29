"""The numbers a ledger works by."""

import pytest

from darkroom.ledger.rules import Rules
from darkroom.settings import Settings


@pytest.mark.parametrize(("max_attempts", "alone_after"), [(1, 1), (2, 1), (3, 2), (9, 2)])
def test_the_last_attempt_is_made_alone_however_few_there_are(max_attempts: int, alone_after: int) -> None:
    """Else two leases that ran out would end the neighbours of a poisonous job with it."""
    assert Rules.from_settings(Settings(max_attempts=max_attempts)).alone_after == alone_after
