"""The rows of guards say what stands in the code now. Whether a test misses them is for `make mutants`."""

import pytest

from tests.mutants.run import ROOT, Guard, guards


@pytest.mark.parametrize("guard", list(guards()), ids=lambda guard: guard.what)
def test_a_guard_stands_where_its_row_says(guard: Guard) -> None:
    assert (ROOT / guard.file).read_text().count(guard.find) == 1, "moved or gone? The row in tests/mutants must follow"
    assert guard.find != guard.put
    assert [test for test in guard.tests if not (ROOT / test.partition("::")[0]).exists()] == []


def test_there_are_many_and_none_twice() -> None:
    changes = [(guard.file, guard.find, guard.put) for guard in guards()]
    assert len(changes) == len(set(changes)) >= 80
