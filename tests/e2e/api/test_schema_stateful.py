"""Schemathesis follows what one answer says to the next request, with a key: whatever is made is found again as told.

Links follow from the document: ids in answers to ids in paths. Pictures are ones that can be read, or nothing
would be made of them.
"""

import re
from collections import Counter
from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import strategies as st
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema

from tests.e2e.api.test_schema_conformance import CONFIG, failures, whole_app
from tests.unit.inputs.files import saved, scene

PICTURES = [saved(scene(width, 128)) for width in (128, 192)]
STATEFUL = {
    **CONFIG,
    "phases": {
        **{name: {"enabled": False} for name in ("examples", "coverage", "fuzzing")},
        "stateful": {"max-steps": 8, "generation": {"max-examples": 40}},
    },
}
SEEDS = range(8)
GENERATION = "/api/v1/generations/{job_id}"
# Each must have been followed at least once from an answer that made or listed something.
FOLLOWED = {
    ("POST /api/v1/generations", f"GET {GENERATION}"),
    ("POST /api/v1/generations", f"DELETE {GENERATION}"),
    ("GET /api/v1/generations", f"GET {GENERATION}"),
    (f"DELETE {GENERATION}", f"GET {GENERATION}"),
    ("POST /api/v1/assets", "GET /api/v1/assets/{asset_id}"),
}


def followed(event: events.ScenarioFinished) -> Iterator[tuple[str, str]]:
    """From which operation to which the scenario went by a link."""
    for node in event.recorder.cases.values():
        if node.transition is not None:
            link = re.fullmatch(r"(.+?) -> \[\d+\] .+? -> (.+)", node.transition.id)
            assert link is not None, node.transition.id
            yield link[1], link[2]


@pytest.fixture
def _pictures() -> Iterator[None]:
    schemathesis.openapi.media_type("image/png", st.sampled_from(PICTURES))
    yield
    schemathesis.openapi.media_type("image/png", st.binary())


@pytest.mark.slow
@pytest.mark.usefixtures("_pictures")
@pytest.mark.filterwarnings("default")  # of schemathesis and its own client
def test_what_is_made_is_found_by_following_answers() -> None:
    """What is drawn changes with every word of the document: more is, until each link has been followed."""
    found, links = [], Counter[tuple[str, str]]()
    for seed in SEEDS:
        config = SchemathesisConfig.from_dict({**STATEFUL, "seed": seed})
        for event in from_schema(schemathesis.openapi.from_asgi("/openapi.json", whole_app(), config=config)).execute():
            assert not isinstance(event, events.NonFatalError | events.FatalError), event
            if isinstance(event, events.ScenarioFinished):
                found += failures(event)
                links.update(followed(event))
        if set(links) >= FOLLOWED:
            break
    assert not found, "\n\n".join(dict.fromkeys(found))
    assert set(links) >= FOLLOWED
