import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import IO

import httpx
import pytest

from api import forms
from darkroom.errors import BadPicture, StoreUnavailable
from darkroom.provenance import State, Verdict
from darkroom.services import Services
from tests.fakes import fake_services
from tests.gateway import client_of, problem_in

VERIFY = "/api/v1/provenance/verify"
BYTES = b"RIFF: bytes of any kind; the verifier judges them"


class Witness:
    """A verifier that remembers what it was shown."""

    def __init__(self, error: Exception | None = None) -> None:
        self.seen: list[bytes] = []
        self.rolled: list[bool] = []
        self._error = error

    async def verify_file(self, picture: IO[bytes], caller: str) -> Verdict:
        self.seen.append(picture.read())
        self.rolled.append(picture._rolled)
        if self._error:
            raise self._error
        return Verdict(state=State.NO_EVIDENCE, text="nothing was found")


async def test_a_picture_may_be_the_body_or_a_part_of_a_form(services: Services) -> None:
    witness = Witness()
    async with client_of(replace(services, verifier=witness)) as client:
        answers = [
            await client.post(VERIFY, content=BYTES, headers={"Content-Type": "image/webp"}),
            await client.post(VERIFY, content=BYTES, headers={"Content-Type": "application/octet-stream"}),
            await client.post(VERIFY, files={"file": ("a\r\nb/../\N{GRINNING FACE}.png", BYTES)}, data={"note": "x"}),
            await client.post(VERIFY, files={"file": ("large.png", BYTES * 100_000)}),
        ]
    assert [(answer.status_code, answer.json()["state"]) for answer in answers] == [(200, "no_evidence")] * 4
    assert witness.seen == [BYTES, BYTES, BYTES, BYTES * 100_000]


async def test_a_large_picture_is_not_kept_in_memory(services: Services) -> None:
    witness = Witness()
    async with client_of(replace(services, verifier=witness)) as client:
        await client.post(VERIFY, content=BYTES * 100_000, headers={"Content-Type": "image/webp"})
        await client.post(VERIFY, files={"file": ("large.png", BYTES * 100_000)})
    assert witness.rolled == [True, True]


@pytest.mark.parametrize(
    ("media_type", "status"),
    [("", 415), ("text/html", 415), ("application/json", 400), ("imagex/png", 415), ("multipart/form-data", 400)],
)
async def test_other_bodies_are_refused_unread(services: Services, media_type: str, status: int) -> None:
    witness = Witness()
    async with client_of(replace(services, verifier=witness)) as client:
        answer = await client.post(VERIFY, content=BYTES, headers={"Content-Type": media_type})
    assert answer.status_code == status
    problem_in(answer)
    assert witness.seen == []


async def test_an_empty_body_is_no_picture(client: httpx.AsyncClient) -> None:
    for answer in (
        await client.post(VERIFY, content=b"", headers={"Content-Type": "image/png"}),
        await client.post(VERIFY, files={"file": ("empty.png", b"")}),
    ):
        assert (answer.status_code, problem_in(answer)["code"]) == (400, "malformed_body")


async def test_a_form_without_the_file_names_what_is_missing(client: httpx.AsyncClient) -> None:
    for form in ({"files": {"picture": ("a.png", BYTES)}}, {"files": {"file": (None, "not a file")}}):
        answer = await client.post(VERIFY, **form)
        assert (answer.status_code, problem_in(answer)["field"]) == (422, "file")


async def test_the_upload_limit_is_the_configured_one() -> None:
    async with client_of(fake_services(max_body_bytes=1024)) as client:
        over = await client.post(VERIFY, content=b"x" * 1025, headers={"Content-Type": "image/png"})
        form = await client.post(VERIFY, files={"file": ("a.png", b"x" * 1025)})
    assert [answer.status_code for answer in (over, form)] == [413, 413]


@pytest.mark.parametrize(
    ("error", "status"), [(BadPicture("not a picture we read"), 422), (StoreUnavailable("the store is away"), 503)]
)
async def test_what_the_verifier_refuses_is_a_problem(services: Services, error: Exception, status: int) -> None:
    async with client_of(replace(services, verifier=Witness(error))) as client:
        answer = await client.post(VERIFY, content=BYTES, headers={"Content-Type": "image/png"})
    assert answer.status_code == status
    problem_in(answer)


async def test_others_are_served_while_a_form_is_read() -> None:
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    running = asyncio.create_task(other())

    async def arriving() -> AsyncGenerator[bytes, None]:
        for piece in (b"a", b"b", b"c"):
            yield piece

    pieces = [piece async for piece in forms.yielding(arriving())]
    running.cancel()
    assert pieces == [b"a", b"b", b"c"]
    assert turns >= len(pieces)
