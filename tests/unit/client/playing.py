"""Flows and clients without a network: what a gateway answers is written down beforehand."""

import asyncio
import json
from collections.abc import Callable, Sequence
from typing import Any

import httpx

from darkroom.client import AsyncClient, Client
from darkroom.client.steps import Answer, Flow, Open, Request, Send, Step, Walk
from darkroom.contract.document import generation_of
from darkroom.contract.job import Artifact, Failure, Job, JobState, Receipt
from tests.integration.ledger.making import artifact, plan

URL = "http://gateway"
ID = "01JDZ5V4T7Q2W8E9R0T1Y2X3Z4"
Handler = Callable[[httpx.Request], httpx.Response]


def document(state: str = "queued", **changed: Any) -> dict[str, Any]:
    """A generation as the gateway writes it."""
    artifacts: tuple[Artifact, ...] = changed.pop("artifacts", (artifact(0),) if state == "succeeded" else ())
    failure = Failure(code="nan_output", message="not a number", retryable=False) if state == "failed" else None
    receipt = Receipt(plan=plan(), versions={}, device="cpu", device_seconds=1.0) if state == "succeeded" else None
    job = Job(
        id=ID,
        tenant="ann",
        state=JobState(state),
        plan=plan(),
        attempt=1,
        created_at=1.0,
        artifacts=artifacts,
        failure=failure,
        receipt=receipt,
    )
    shown = generation_of(job, URL, kept_for=60).model_dump(mode="json")
    return {**shown, **changed}


def answer(status: int = 200, body: Any = None, **headers: str) -> Answer:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(f"{URL}/x", status, {name.replace("_", "-"): value for name, value in headers.items()}, text)


def problem(status: int, code: str = "some_code", *, retryable: bool = False, **more: Any) -> dict[str, Any]:
    return {"status": status, "code": code, "detail": f"because of {code}", "retryable": retryable, **more}


def play(flow: Flow[Any], *results: Any) -> tuple[Any, list[Step]]:
    """What the flow returns, or raises, when what it asks comes to these results in turn; and all its steps."""
    walk, left, steps = Walk(flow), list(results), list[Step]()
    try:
        while (step := walk.step()) is not None:
            steps.append(step)
            if type(step).__name__ in ("Sleep", "Tell", "Write"):
                continue
            result = left.pop(0)
            walk.fail(result) if isinstance(result, BaseException) else walk.give(result)
    except BaseException as error:  # noqa: BLE001 - for the test to look at
        assert not left, f"nobody asked for {left}"
        return error, steps
    assert not left, f"nobody asked for {left}"
    return walk.result, steps


def requests_of(steps: Sequence[Step]) -> list[Request]:
    return [step.request for step in steps if isinstance(step, Send | Open)]


class Talk:
    """One of the two clients over a handler, each call made to its end: `talk("get", ID)`."""

    def __init__(self, kind: str, handler: Handler, **how: Any) -> None:
        self._kind = kind
        self._transport = httpx.MockTransport(handler)
        self._how = {"url": URL, "retries": 0, **how}

    def __call__(self, name: str, *args: Any, **given: Any) -> Any:
        if self._kind == "sync":
            with Client(**self._how, transport=self._transport) as client:
                result = getattr(client, name)(*args, **given)
                return list(result) if hasattr(result, "__next__") else result
        return asyncio.run(self._awaited(name, args, given))

    async def _awaited(self, name: str, args: Any, given: Any) -> Any:
        async with AsyncClient(**self._how, transport=self._transport) as client:
            result = getattr(client, name)(*args, **given)
            return [each async for each in result] if hasattr(result, "__anext__") else await result
