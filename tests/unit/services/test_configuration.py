"""What is wrong with an environment is told at once, each by its name and none by its value."""

import os

import pytest

from darkroom.errors import ConfigurationError
from darkroom.services.configuration import environment_faults, load_settings, unknown


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("DARKROOM_")]:
        monkeypatch.delenv(name)


def test_all_that_is_wrong_is_told_in_one_line_and_no_value_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DARKROOM_API_KEYS", "canary")
    monkeypatch.setenv("DARKROOM_TENANTS", '{"canary": {"weight": 0}}')
    monkeypatch.setenv("DARKROOM_PORT", "canary")
    with pytest.raises(ConfigurationError) as raised:
        load_settings()
    said = raised.value.detail
    assert [each.partition(":")[0] for each in said.split("; ")] == [
        "DARKROOM_PORT",
        "DARKROOM_API_KEYS",
        "DARKROOM_TENANTS",
    ]
    assert "DARKROOM_API_KEYS: must be JSON" in said
    assert "canary" not in said


def test_a_slip_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DARKROOM_PRODUCTON", "true")
    with pytest.raises(ConfigurationError, match=r"DARKROOM_PRODUCTON: is no setting; DARKROOM_PRODUCTION is"):
        load_settings()


def test_slips_and_faults_are_told_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DARKROOM_PORT", "x")
    found = environment_faults({"DARKROOM_REDISURL": "x", "DARKROOM_NEVER_HEARD": "x"})
    assert [fault.variable for fault in found] == ["DARKROOM_REDISURL", "DARKROOM_PORT"]
    assert list(unknown({"DARKROOM_NEVER_HEARD": "x", "DARKROOM_PORT": "1"})) == ["DARKROOM_NEVER_HEARD"]


def test_lists_without_json_are_still_read_where_a_setting_is_between_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DARKROOM_COMPAT", "openai, hf")
    assert load_settings().compat == ("openai", "hf")


def test_a_refused_value_is_told_in_our_words_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DARKROOM_REDIS_URL", "nonsense")
    (fault,) = environment_faults({})
    assert fault.words.startswith("must begin with redis://")
