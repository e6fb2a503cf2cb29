"""Both ledgers under the same arbitrary histories, and proof that the comparison finds what is wrong."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from darkroom.ledger import lua
from darkroom.ledger.server import LocalRedis
from tests.integration.ledger.machine import TwoLedgers

pytestmark = pytest.mark.slow

SETTINGS = settings(
    max_examples=50,
    stateful_step_count=30,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)

# What a script says -> what it says instead.
SABOTAGES = {
    "no fencing": (" and job.attempt == tonumber(attempt)", ""),
    "an attempt's number is used again": (
        "set(job, 'handed_back', job.handed_back + 1)",
        "set(job, 'attempt', job.attempt - 1)",
    ),
    "a lease outlives its job": ("redis.call('ZREM', key('leases'), job.id)", "do end"),
    "no outbox row": ("announce(id, 'generation.' .. name)", ""),
    "a delivery that has ended is taken again": ("redis.call('ZREM', key('due', delivery.lane), delivery.id)", ""),
    "pictures of a forgotten record stay for ever": (
        "if redis.call('HGET', key('job', id), 'attempt') ~= '0' then leave_pictures(id) end",
        "",
    ),
    "a job put back goes to the end": (
        "redis.call('ZADD', line(job), job.place, job.id)",
        "redis.call('ZADD', line(job), redis.call('INCR', key('places')), job.id)",
    ),
}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server of the machine's own: it is emptied before each run."""
    with LocalRedis(tmp_path_factory.mktemp("machine"), appendfsync="no") as server:
        yield server.url


def run(url: str, **changed: object) -> None:
    machine = type("Machine", (TwoLedgers,), {"url": url})
    run_state_machine_as_test(machine, settings=settings(SETTINGS, **changed))  # type: ignore[arg-type]


def test_both_ledgers_tell_the_same_story(url: str) -> None:
    run(url)


@pytest.mark.timeout(1200)  # it walks at random until it stumbles: three minutes alone, and longer on a busy machine
@pytest.mark.parametrize("name", SABOTAGES)
def test_the_machine_finds_a_sabotaged_script(url: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    right, wrong = SABOTAGES[name]
    source = lua.source
    assert sum(right in source(script) for script in (*lua.LIBRARY, *lua.SCRIPTS, *lua.DELIVERY_SCRIPTS)) >= 1
    monkeypatch.setattr(lua, "source", lambda script: source(script).replace(right, wrong))
    with pytest.raises(AssertionError):
        run(url, phases=(Phase.generate,), max_examples=1000)
