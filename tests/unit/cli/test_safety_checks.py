"""What the doctor says of who looks at words and pictures."""

from typing import Any

import pytest

from darkroom.cli import safety_checks
from darkroom.cli.safety_checks import check_safety
from darkroom.settings import Settings


async def said(**settings: Any) -> list[tuple[str, str]]:
    return list(await check_safety(Settings(**settings)))


async def test_that_nobody_looks_is_said_and_no_fault() -> None:
    assert await said() == [("ok", "nothing is looked at: DARKROOM_SAFETY is off at every stage")]


async def test_each_stage_says_who_looks() -> None:
    found = await said(safety={"prompt": "block", "output": "annotate"}, safety_open_nsfw="on")
    assert [state for state, _ in found] == ["ok", "ok"]
    assert found[0][1].startswith("prompt: block, by ")
    assert found[1][1] == "output: annotate, by open-nsfw"


@pytest.mark.parametrize(("policy", "state"), [("block", "fail"), ("annotate", "warn")])
async def test_a_policy_without_a_checker_is_a_fault_where_it_blocks(policy: str, state: str) -> None:
    assert await said(safety={"output": policy}, safety_open_nsfw="off") == [
        (state, f"output: {policy}, and there is no checker")
    ]


async def test_a_tenants_own_policy_is_told_apart() -> None:
    ((_, words),) = await said(tenant_safety={"ann": {"input": "block"}}, safety_open_nsfw="on")
    assert words == "input: block for ann, off for all others, by open-nsfw"


async def test_what_is_not_installed_does_not_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(safety_checks.importlib.util, "find_spec", lambda name: None)
    ((state, _),) = await said(safety={"output": "block"})
    assert state == "fail"
