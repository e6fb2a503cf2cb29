"""How often `openai` asks, and what becomes of the work when it hangs up: against a gateway whose worker is played by
hand, so that every answer can be had."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import openai
import pytest

from darkroom.contract.job import Job, JobState
from darkroom.services import Services
from tests.fakes import fake_services
from tests.gateway import GENERATIONS, served


@contextmanager
def sdk(services: Services, **options: object) -> Iterator[tuple[openai.OpenAI, list[str]]]:
    """The client, and a line for every request that it sends."""
    asked: list[str] = []
    hooks = {"request": [lambda request: asked.append(request.url.path)]}
    with (
        served(services) as (host, port),
        openai.DefaultHttpxClient(event_hooks=hooks) as http,
        openai.OpenAI(base_url=f"http://{host}:{port}/v1", api_key="KEY", http_client=http, **options) as client,  # type: ignore[arg-type]
    ):
        yield client, asked


def jobs(services: Services) -> list[Job]:
    return list(asyncio.run(services.ledger.jobs("local", limit=20, cursor=None)).jobs)


def ended(services: Services) -> list[JobState]:
    """Once there are any, and none of them waits any more."""
    until = time.monotonic() + 10
    while not ((now := jobs(services)) and all(job.state.terminal for job in now)) and time.monotonic() < until:
        time.sleep(0.02)
    return [job.state for job in now]


@pytest.mark.parametrize(
    "asked", [{"size": "1024x1024"}, {"model": "sdxl"}, {"n": 99}, {"extra_headers": {"Idempotency-Key": "a b"}}]
)
def test_a_final_error_is_asked_once(asked: dict[str, object]) -> None:
    services = fake_services()
    with sdk(services) as (client, sent), pytest.raises(openai.APIStatusError):
        client.images.generate(prompt="a", **asked)  # type: ignore[call-overload]
    assert len(sent) == 1
    assert jobs(services) == []


def test_a_wait_in_vain_is_asked_once_and_leaves_no_work() -> None:
    services = fake_services(compat_wait=0.1)
    with sdk(services) as (client, sent), pytest.raises(openai.UnprocessableEntityError) as refused:
        client.images.generate(prompt="a")
    assert (refused.value.code, len(sent)) == ("wait_timed_out", 1)
    assert ended(services) == [JobState.CANCELED]


def test_with_an_idempotency_key_it_is_asked_again_for_the_same_work() -> None:
    services = fake_services(compat_wait=0.1)
    with sdk(services) as (client, sent), pytest.raises(openai.InternalServerError):
        client.images.generate(prompt="a", extra_headers={"Idempotency-Key": "k"})
    assert len(sent) == 3
    assert [job.state for job in jobs(services)] == [JobState.QUEUED]


@pytest.mark.parametrize(
    ("limit", "kind", "code"),
    [
        ("max_queued_per_tenant", openai.RateLimitError, "tenant_limit"),
        ("max_queued", openai.InternalServerError, "queue_full"),
    ],
)
def test_a_full_line_is_asked_for_again_when_it_says(limit: str, kind: type[openai.APIStatusError], code: str) -> None:
    services = fake_services(**{limit: 1})
    with sdk(services, max_retries=1) as (client, sent):
        taken = httpx.post(f"{client.base_url.copy_with(path=GENERATIONS)}", json={"prompt": "a"})
        assert taken.status_code == 202
        begun = time.monotonic()
        with pytest.raises(kind) as refused:
            client.images.generate(prompt="b")
        waited = time.monotonic() - begun
    assert (refused.value.code, len(sent)) == (code, 2)
    assert waited >= float(refused.value.response.headers["Retry-After"]) / 2


def test_a_client_whose_time_is_over_leaves_no_work() -> None:
    services = fake_services()
    with sdk(services, max_retries=0, timeout=0.4) as (client, _):
        with pytest.raises(openai.APITimeoutError):
            client.images.generate(prompt="a")
        assert ended(services) == [JobState.CANCELED]


def test_a_client_that_turns_away_from_a_stream_leaves_no_work() -> None:
    services = fake_services()
    with sdk(services, max_retries=0) as (client, _):
        stream = client.images.generate(prompt="a", stream=True, partial_images=1)
        assert [job.state for job in jobs(services)] == [JobState.QUEUED]
        stream.close()
        assert ended(services) == [JobState.CANCELED]


def test_what_goes_wrong_in_a_stream_is_an_error_of_the_sdk() -> None:
    services = fake_services(compat_wait=0.2)
    with sdk(services) as (client, sent):
        stream = client.images.generate(prompt="a", stream=True)
        with pytest.raises(openai.APIError, match="has not ended in the time"):
            list(stream)
    assert len(sent) == 1
    assert ended(services) == [JobState.CANCELED]
