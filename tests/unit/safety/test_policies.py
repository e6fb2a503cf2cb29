"""Who is guarded how strictly: the operator's floor, a tenant's own policy, and what a request asks for."""

import json
from itertools import product
from typing import Any

import pytest

from darkroom.contract.generation import TextToImage
from darkroom.contract.plan import GenerationPlan
from darkroom.contract.safety import POLICIES, STAGES, PlannedSafety, SafetyAsked, SafetyPolicy, strictest
from darkroom.errors import ConfigurationError
from darkroom.metrics import Metrics
from darkroom.planner import guarded, plan
from darkroom.safety.policies import demanded, strictest_of_all
from darkroom.services.configuration import load_settings
from darkroom.services.screens import refuse_unkept, word_screen
from darkroom.settings import Settings
from tests.checkers import Scripted
from tests.fakes import fake_catalog


def planned(**asked: Any) -> GenerationPlan:
    return plan(TextToImage(prompt="a red circle", **asked), fake_catalog(), now=0.0)


def test_nobody_looks_where_nobody_says_so() -> None:
    assert demanded(Settings(), "ann") == SafetyPolicy(prompt="off", input="off", output="off")
    assert planned().safety == PlannedSafety()


@pytest.mark.parametrize(("floor", "own", "asked"), list(product(POLICIES, repeat=3)))
def test_the_strictest_of_operator_tenant_and_request_holds(floor: Any, own: Any, asked: Any) -> None:
    if POLICIES.index(own) < POLICIES.index(floor):
        with pytest.raises(ValueError, match="for everybody"):
            Settings(safety={"output": floor}, tenant_safety={"ann": {"output": own}})
        return
    settings = Settings(safety={"output": floor}, tenant_safety={"ann": {"output": own}})
    made = guarded(planned(), demanded(settings, "ann"), SafetyAsked(output=asked))
    assert made.safety.output == strictest(own, asked)
    assert made.safety.prompt == made.safety.input == "off"
    assert demanded(settings, "bob").output == floor, "nobody else's policy is touched"
    told = [notice for notice in made.warnings if notice.field == "safety.output"]
    assert bool(told) == (strictest(own, asked) != asked)


@pytest.mark.parametrize("stage", STAGES)
def test_a_laxer_tenant_stops_the_start_with_one_line_that_names_it(
    stage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DARKROOM_SAFETY", json.dumps({stage: "block"}))
    monkeypatch.setenv("DARKROOM_TENANT_SAFETY", json.dumps({"ann": {stage: "annotate"}}))
    with pytest.raises(ConfigurationError) as refused:
        load_settings()
    assert "\n" not in refused.value.detail
    assert "DARKROOM_TENANT_SAFETY" in refused.value.detail
    assert f"'ann' has {stage} 'annotate', and DARKROOM_SAFETY has 'block'" in refused.value.detail


@pytest.mark.parametrize("wrong", ['{"output": "blok"}', '{"outputs": "block"}', "block", '{"output": true}'])
def test_a_policy_that_is_none_stops_the_start(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DARKROOM_SAFETY", wrong)
    with pytest.raises(ConfigurationError, match="DARKROOM_SAFETY"):
        load_settings()


def test_a_policy_that_nobody_can_keep_stops_the_start() -> None:
    settings = Settings(safety={"prompt": "annotate"}, tenant_safety={"ann": {"output": "block"}})
    assert strictest_of_all(settings) == SafetyPolicy(prompt="annotate", output="block")
    refuse_unkept(settings, ("prompt",), ())
    refuse_unkept(settings, ("input", "output"), [Scripted()])
    with pytest.raises(ConfigurationError, match="DARKROOM_TENANT_SAFETY blocks at output"):
        refuse_unkept(settings, ("input", "output"), ())
    with pytest.raises(ConfigurationError, match="DARKROOM_SAFETY blocks at input and output"):
        refuse_unkept(Settings(safety={"input": "block", "output": "block"}), ("input", "output"), ())


def test_a_policy_of_nobodys_stops_the_gateway() -> None:
    """A slip of the pen would leave somebody unguarded."""
    of = {"tenant_safety": {"anm": {"output": "block"}}}
    with pytest.raises(ConfigurationError, match="DARKROOM_TENANT_SAFETY names 'anm'"):
        word_screen(Settings(**of, api_keys={"ab" * 32: "ann"}), Metrics())
    with pytest.raises(ConfigurationError, match="'anm'"):
        word_screen(Settings(**of, allow_anonymous=True), Metrics())
    word_screen(Settings(tenant_safety={"local": {"output": "block"}}, allow_anonymous=True), Metrics())


def test_sketches_are_none_where_pictures_may_be_blocked() -> None:
    annotated = guarded(planned(previews=True), SafetyPolicy(output="annotate"), SafetyAsked())
    blocked = guarded(planned(previews=True), SafetyPolicy(output="block"), SafetyAsked())
    assert annotated.previews
    assert not blocked.previews
    assert [notice.field for notice in blocked.warnings] == ["previews"]


def test_a_plan_of_before_there_was_a_policy_reads_as_one_without() -> None:
    older = json.loads(planned().model_dump_json())
    del older["safety"]
    assert GenerationPlan.model_validate(older).safety == PlannedSafety()
