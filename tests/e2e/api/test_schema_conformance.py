"""Schemathesis against the whole API: what the document promises, generated requests must find true.

All its phases run (examples, coverage, fuzzing, stateful) with all its default checks, on a fixed seed.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import Status, events, from_schema

from api.app import create_app
from tests.checkers import Scripted, words
from tests.fakes import fake_services
from tests.gateway import API_KEYS, KEYS

CONFIG = {
    "seed": 20261124,
    "headers": {"Authorization": f"Bearer {KEYS['alice']}"},
    "max-stream-events": 1,  # a generation that nobody makes has an event stream without an end
    "generation": {"max-examples": 25, "deterministic": True, "database": "none"},
    # Cancelling a generation does not remove it: DELETE answers with the record, and the record stays.
    "checks": {"use_after_free": {"enabled": False}},
    "phases": {"stateful": {"max-steps": 6, "generation": {"max-examples": 10}}},
    "operations": [
        # Which soft bindings are looked for depends on the settings, and which bytes are read on the bytes.
        {
            "include-operation-id": name,
            "checks": {"positive_data_acceptance": {"expected-statuses": ["2xx", "400", "415", "503"]}},
        }
        for name in ("queryByBinding", "queryByLargeBinding", "queryByContent")
    ]
    # No schema can say which bytes are a picture.
    + [
        {
            "include-operation-id": name,
            "checks": {"positive_data_acceptance": {"expected-statuses": ["2xx", "400", "409", "422", "503"]}},
        }
        for name in ("verify_picture", "create_asset", "create_generation", "preprocess")
    ]
    # Nor which days there are, nor which URLs are disabled.
    + [
        {
            "include-operation-id": name,
            "checks": {"positive_data_acceptance": {"expected-statuses": ["2xx", "404", "409", "422", "503"]}},
        }
        for name in ("list_deliveries", "replay_deliveries", "enable_endpoint")
    ]
    # Nor can it sign a link.
    + [
        {
            "include-operation-id": "get_linked_picture",
            "checks": {"positive_data_acceptance": {"expected-statuses": ["403"]}},
        }
    ],
}
# Of words alone the schema says all there is to say.
WORDS_ONLY = {**CONFIG, "operations": []}


def run(schema: Any) -> int:
    """Run all phases, and return how many cases there were."""
    found: list[str] = []
    cases = 0
    for event in from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            cases += len(event.recorder.cases)
            found += failures(event)
        if isinstance(event, events.PhaseFinished):
            assert event.status is not Status.ERROR, event
        assert not isinstance(event, events.NonFatalError | events.FatalError), event
    assert not found, "\n\n".join(dict.fromkeys(found))
    return cases


def failures(event: events.ScenarioFinished) -> Iterator[str]:
    for checks in event.recorder.checks.values():
        for check in checks:
            if check.failure_info:
                yield f"{event.phase} {check.name}: {check.failure_info.failure}\n{check.failure_info.code_sample}"


def whole_app() -> FastAPI:
    """With keys, and with somebody who looks at prompts: who demands that finds no 503."""
    services = fake_services(allow_anonymous=False, api_keys=API_KEYS)
    return create_app(replace(services, words=words(Scripted())))


@pytest.fixture
def app() -> FastAPI:
    return whole_app()


@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # of schemathesis and its own client
def test_the_api_does_what_its_document_says(app: FastAPI) -> None:
    config = SchemathesisConfig.from_dict(CONFIG)
    assert run(schemathesis.openapi.from_asgi("/openapi.json", app, config=config)) > 300


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_every_request_for_a_picture_of_words_that_fits_the_document_is_accepted(app: FastAPI) -> None:
    document = app.openapi()
    of_words = document["components"]["schemas"]["TextToImage"]
    # How many pixels two sides make, how little a second stage leaves to do, which models are refiners, which URLs are
    # public, which labels are allowed: no schema says.
    for field in ("width", "height", "hires", "refiner", "webhook_url", "visible_label"):
        del of_words["properties"][field]
    document["components"]["schemas"]["GenerationRequest"] = of_words
    config = SchemathesisConfig.from_dict(WORDS_ONLY)
    schema = schemathesis.openapi.from_asgi("/openapi.json", app, config=config)
    assert run(schema.include(operation_id="create_generation")) > 20
