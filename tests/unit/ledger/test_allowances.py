from darkroom.ledger.allowances import MOST_KEPT, Allowances


def test_callers_who_come_once_are_not_remembered_for_ever() -> None:
    allowances = Allowances()
    for caller in range(3 * MOST_KEPT):
        assert allowances.spend({str(caller): 60}, now_ms=caller) == 0
    assert len(allowances._full_at_ms) <= MOST_KEPT + 1
    assert allowances.spend({str(3 * MOST_KEPT - 1): 1}, now_ms=3 * MOST_KEPT) > 0
