"""Whatever is written into an RQ queue, a worker runs nothing but `serve`."""

import json
import zlib
from typing import Any

import pytest
from redis import Redis

from worker.bell import Bell, RefusedBell
from worker.tasks import serve


def bell(function: str, instance: Any = None, **fields: str) -> Bell:
    """A job as RQ reads it back from Redis. Nothing is contacted."""
    job = Bell("a-bell", connection=Redis(port=1), serializer="json")
    data = zlib.compress(json.dumps([function, instance, ["tiny"], {}]).encode())
    job.restore({b"data": data} | {name.encode(): value.encode() for name, value in fields.items()})
    return job


def test_the_one_function_is_found() -> None:
    assert bell("worker.tasks.serve").func is serve


@pytest.mark.parametrize("function", ["os.system", "worker.tasks.bind", "subprocess.run", "worker.tasks.serve ", ""])
def test_any_other_function_is_refused_before_it_is_imported(function: str) -> None:
    with pytest.raises(RefusedBell):
        _ = bell(function).func


def test_a_method_of_an_instance_is_refused() -> None:
    with pytest.raises(RefusedBell):
        _ = bell("worker.tasks.serve", instance="anything").func


@pytest.mark.parametrize("callback", ["success_callback", "failure_callback", "stopped_callback"])
def test_callbacks_are_ignored(callback: str) -> None:
    assert getattr(bell("worker.tasks.serve", **{f"{callback}_name": "os.abort"}), callback) is None


def test_webhooks_rate_limits_and_repetitions_are_ignored() -> None:
    hook = [{"url": "http://127.0.0.1:1/", "job_status": "finished"}]
    limit = {"rate_limit_key": "k", "rate_limit_concurrency": "1"}
    job = bell("worker.tasks.serve", webhooks=json.dumps(hook), repeats_left="9", **limit)
    assert (job.webhooks, job.rate_limit_key, job.has_rate_limit, job.repeats_left) == ([], None, False, None)
