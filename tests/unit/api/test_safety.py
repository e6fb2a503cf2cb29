"""Prompts are looked at before anything else is done for them, at every door."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
import structlog

from api import desk
from api.submission import body_hash
from darkroom.contract.generation import TextToImage
from darkroom.contract.safety import SafetyAsked
from darkroom.services import Services
from tests.checkers import Scripted, wicked, words
from tests.fakes import fake_services
from tests.gateway import GENERATIONS, ask, claim_one, client_of, finish_one, problem_in

BLOCK = {"prompt": "block"}
ANNOTATE = {"prompt": "annotate"}


def guarded(checker: Scripted, **settings: Any) -> Services:
    services = fake_services(**settings)
    return replace(services, words=words(checker, metrics=services.metrics))


@pytest.fixture
def checker() -> Scripted:
    return Scripted(wicked)


@pytest.fixture
def services(checker: Scripted) -> Services:
    return guarded(checker, safety=BLOCK)


@pytest.fixture
async def client(services: Services) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(services) as client:
        yield client


async def test_a_flagged_prompt_is_refused_and_leaves_nothing(services: Services, client: httpx.AsyncClient) -> None:
    with structlog.testing.capture_logs() as logs:
        refused = await client.post(GENERATIONS, json={"prompt": "a wicked circle"})
    problem = problem_in(refused)
    assert (problem["status"], problem["code"], problem["retryable"]) == (400, "blocked", False)
    assert problem["detail"] == "prompt was flagged: sexual 0.93 (threshold 0.80)"
    assert "wicked" not in refused.text
    assert "wicked" not in json.dumps(logs)
    assert [each["event"] for each in logs if each["event"] == "prompt.blocked"]
    assert (await client.get(GENERATIONS)).json()["generations"] == []
    assert await services.ledger.waiting() == {}


async def test_a_clean_prompt_goes_on_with_what_was_found(client: httpx.AsyncClient) -> None:
    made = await ask(client)
    assert [(found["action"], found["subject"]) for found in made["safety"]] == [("passed", "prompt")]
    assert made["plan"]["safety"]["prompt"] == "block"


async def test_a_negative_prompt_is_not_looked_at(client: httpx.AsyncClient, checker: Scripted) -> None:
    await ask(client, negative_prompt="wicked")
    assert checker.seen == ["a red circle"]


@pytest.mark.parametrize("turned", ["(wicked:-1.5)", "(dull:-1), wicked", "[(wicked:-0.1)]", "a BREAK (wicked:-1)"])
async def test_a_negative_prompt_that_is_turned_round_is_looked_at(
    client: httpx.AsyncClient, checker: Scripted, turned: str
) -> None:
    refused = await client.post(GENERATIONS, json={"prompt": "", "negative_prompt": turned})
    assert problem_in(refused)["code"] == "blocked"
    assert checker.seen == [f"\n{turned}"]


async def test_what_is_turned_round_is_looked_at_again_in_a_rerun(checker: Scripted) -> None:
    async with client_of(services := guarded(checker)) as client:
        made = await ask(client, negative_prompt="(wicked:-1)")
    stricter = services.settings.model_copy(update={"safety": guarded(checker, safety=BLOCK).settings.safety})
    async with client_of(replace(services, settings=stricter)) as client:
        assert problem_in(await client.post(f"{made['links']['self']}/rerun"))["code"] == "blocked"


async def test_what_is_flagged_goes_on_under_annotate(checker: Scripted) -> None:
    async with client_of(services := guarded(checker, safety=ANNOTATE)) as client:
        made = await ask(client, prompt="a wicked circle")
        (found,) = made["safety"]
        assert (found["action"], found["flagged"], found["reached"]) == ("annotated", True, {"sexual": 0.8})
        assert found["checkers"] == [{"name": "scripted", "version": "0" * 64}]
        await finish_one(services)
        assert (await client.get(made["links"]["self"])).json()["state"] == "succeeded"


async def test_nobody_looks_where_the_policy_is_off(checker: Scripted) -> None:
    async with client_of(guarded(checker)) as client:
        assert (await ask(client, prompt="a wicked circle"))["safety"] == []
    assert checker.seen == []


async def test_a_broken_checker_refuses_under_block(client: httpx.AsyncClient, checker: Scripted) -> None:
    checker.broken = True
    refused = await client.post(GENERATIONS, json={"prompt": "a red circle"})
    problem = problem_in(refused)
    assert (problem["status"], problem["code"], problem["retryable"]) == (503, "safety_unavailable", True)
    assert int(refused.headers["retry-after"]) >= 1


async def test_a_broken_checker_is_told_under_annotate(checker: Scripted) -> None:
    checker.broken = True
    async with client_of(guarded(checker, safety=ANNOTATE)) as client:
        made = await ask(client)
    assert made["safety"] == []
    assert [notice["field"] for notice in made["warnings"]] == ["safety.prompt"]
    assert "scripted did not answer" in made["warnings"][0]["reason"]


async def test_a_tenant_may_be_guarded_more_strictly(checker: Scripted) -> None:
    services = guarded(checker, safety=ANNOTATE, tenant_safety={"local": BLOCK})
    async with client_of(services) as client:
        assert problem_in(await client.post(GENERATIONS, json={"prompt": "wicked"}))["code"] == "blocked"


async def test_a_request_may_ask_for_more_and_gets_no_less(client: httpx.AsyncClient, checker: Scripted) -> None:
    refused = await client.post(GENERATIONS, json={"prompt": "wicked", "safety": {"prompt": "off"}})
    assert problem_in(refused)["code"] == "blocked"
    laxer = await ask(client, safety={"prompt": "annotate", "output": "annotate"})
    assert (laxer["plan"]["safety"]["prompt"], laxer["plan"]["safety"]["output"]) == ("block", "annotate")
    assert [notice["field"] for notice in laxer["warnings"]] == ["safety.prompt"]
    async with client_of(guarded(checker)) as free:
        refused = await free.post(GENERATIONS, json={"prompt": "wicked", "safety": {"prompt": "block"}})
        assert problem_in(refused)["code"] == "blocked"


@pytest.mark.parametrize("wrong", [{"prompt": "blok"}, {"prompts": "block"}, "block", {"prompt": True}])
async def test_a_policy_that_is_none_is_refused(client: httpx.AsyncClient, wrong: Any) -> None:
    refused = await client.post(GENERATIONS, json={"prompt": "a red circle", "safety": wrong})
    assert problem_in(refused)["code"] == "invalid_field"


async def test_what_was_blocked_spends_nothing_of_an_allowance(checker: Scripted) -> None:
    services = guarded(checker, safety=BLOCK, tenants={"local": {"per_minute": 1}})
    async with client_of(services) as client:
        for _ in range(3):
            assert (await client.post(GENERATIONS, json={"prompt": "wicked"})).status_code == 400
        await ask(client)


async def test_a_rerun_is_looked_at_under_the_policy_of_today(checker: Scripted) -> None:
    async with client_of(services := guarded(checker, safety=ANNOTATE)) as client:
        made = await ask(client, prompt="a wicked circle", previews=True)
    stricter = services.settings.model_copy(update={"safety": guarded(checker, safety=BLOCK).settings.safety})
    async with client_of(replace(services, settings=stricter)) as client:
        again = await client.post(f"{made['links']['self']}/rerun")
        assert problem_in(again)["code"] == "blocked"
    laxer = services.settings.model_copy(update={"safety": fake_services().settings.safety})
    async with client_of(replace(services, settings=laxer)) as client:
        again = await client.post(f"{made['links']['self']}/rerun")
        assert again.json()["safety"] == [], "nothing is said of it that was found in another"


async def test_a_rerun_keeps_what_its_request_asked_for(checker: Scripted) -> None:
    async with client_of(guarded(checker)) as client:
        made = await ask(client, safety={"output": "block"}, previews=True)
        assert not made["plan"]["previews"]
        again = (await client.post(f"{made['links']['self']}/rerun")).json()
    assert again["plan"]["safety"] == made["plan"]["safety"]


async def test_an_idempotent_replay_of_what_was_blocked_is_looked_at_again(
    client: httpx.AsyncClient, checker: Scripted
) -> None:
    for _ in range(2):
        refused = await client.post(GENERATIONS, json={"prompt": "wicked"}, headers={"Idempotency-Key": "k"})
        assert problem_in(refused)["code"] == "blocked"
    assert len(checker.seen) == 2


async def test_a_replay_asks_no_checker(services: Services, client: httpx.AsyncClient, checker: Scripted) -> None:
    first = await client.post(GENERATIONS, json={"prompt": "a red circle"}, headers={"Idempotency-Key": "k"})
    checker.broken = True
    again = await client.post(GENERATIONS, json={"prompt": "a red circle"}, headers={"Idempotency-Key": "k"})
    assert again.json()["id"] == first.json()["id"]
    await claim_one(services)


def test_requests_hash_as_they_did_before_there_was_a_policy() -> None:
    """Else who repeats a request after an upgrade would be told that its key was used for another."""
    known = "14e899fa407c66388c91ab74549a96f516a216c732322c62e6e3afecb09607ac"
    assert body_hash(TextToImage(prompt="a red circle")) == known
    assert body_hash(TextToImage(prompt="a red circle", safety=SafetyAsked(output="block"))) != known


async def test_too_many_who_wait_for_a_slow_checker_are_told_to_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk, "WORDS", 2)
    go_on = threading.Event()

    def slow(text: str) -> Any:
        go_on.wait(10)
        return wicked(text)

    async with client_of(guarded(Scripted(slow), safety=BLOCK)) as client:
        asking = [asyncio.create_task(client.post(GENERATIONS, json={"prompt": "a"})) for _ in range(3)]
        done, _ = await asyncio.wait(asking, return_when=asyncio.FIRST_COMPLETED)
        assert [each.result().status_code for each in done] == [503]
        assert (await client.get("/livez")).status_code == 200, "everybody else is served meanwhile"
        go_on.set()
        answers = await asyncio.gather(*asking)
    assert sorted(answer.status_code for answer in answers) == [202, 202, 503]
