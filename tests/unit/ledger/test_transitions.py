"""The table of moves, looked at as a whole."""

import string
from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.contract.job import JobState
from darkroom.ledger import lua
from darkroom.ledger.fairness import Account
from darkroom.ledger.rules import EXHAUSTED, LEASE_LOST, Rules
from darkroom.ledger.transitions import TRANSITIONS, Move, finishing_move
from darkroom.settings import Settings


def test_terminal_states_refuse_every_move() -> None:
    assert not [state for state, _ in TRANSITIONS if state.terminal]


def test_every_state_can_be_reached() -> None:
    assert {step.state for step in TRANSITIONS.values()} == set(JobState)


def test_every_move_leads_somewhere() -> None:
    assert {move for _, move in TRANSITIONS} == set(Move)


def test_an_end_is_told_by_its_own_name() -> None:
    assert all(step.event == step.state.value for step in TRANSITIONS.values() if step.state.terminal)


def test_a_finishing_move_ends_in_the_state_asked_for() -> None:
    for state in (JobState.SUCCEEDED, JobState.FAILED, JobState.BLOCKED):
        assert TRANSITIONS[JobState.RUNNING, finishing_move(state)].state is state


def test_rules_follow_the_settings() -> None:
    settings = Settings(lease_seconds=1.5, max_attempts=2, max_queued=7, max_queued_per_tenant=3, result_ttl=9)
    rules = Rules.from_settings(settings)
    assert (rules.lease_ms, rules.max_attempts, rules.result_ttl_ms) == (1500, 2, 9000)
    assert (rules.max_queued, rules.max_queued_per_tenant) == (7, 3)


@pytest.mark.parametrize("name", lua.SCRIPTS)
def test_every_script_is_in_the_package_and_says_what_it_takes(name: str) -> None:
    assert "-- ARGV:" in lua.source(name)


def test_scripts_get_every_rule_and_every_move() -> None:
    preamble = lua.preamble(Rules())
    assert all(f"['{field.name}'] = " in preamble for field in fields(Rules))
    assert all(f"['{state.value} {move.value}'] = " in preamble for state, move in TRANSITIONS)
    assert all(lua.literal(value) in preamble for value in (EXHAUSTED.message, LEASE_LOST))


@given(st.text(alphabet=string.printable))
def test_text_cannot_leave_its_lua_literal(text: str) -> None:
    written = lua.literal(text)
    inner = written[1:-1].replace("\\\\", "").replace("\\'", "")
    assert "'" not in inner
    assert "\n" not in inner


def test_an_account_halves_with_its_half_life() -> None:
    account = Account(8.0, at_ms=0)
    assert account.used(60_000, 60_000) == 4.0
    account.charge(1.0, 120_000, 60_000)
    assert account.used(120_000, 60_000) == 3.0


def test_an_account_never_falls_below_nothing() -> None:
    account = Account(1.0, at_ms=0)
    account.charge(-5.0, 0, 60_000)
    assert account.used(0, 60_000) == 0.0


def test_raising_does_not_lower() -> None:
    account = Account(5.0, at_ms=0)
    account.raise_to(Account(3.0, at_ms=0), 60_000)
    assert account.used(0, 60_000) == 5.0
    account.raise_to(Account(7.0, at_ms=0), 60_000)
    assert account.used(0, 60_000) == 7.0
