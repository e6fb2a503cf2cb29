"""Many pictures: a few at a time, each once, whatever becomes of the others, and again where they were left."""

import asyncio
import hashlib
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from darkroom.cli.app import run
from darkroom.cli.batch import making
from darkroom.cli.batch.lines import parse_lines
from darkroom.cli.batch.making import Row, make_all, rows_of
from darkroom.client import AsyncClient, GatewayAway
from tests.integration.ledger.making import artifact
from tests.unit.cli.talking import answered_by
from tests.unit.client.playing import URL, document, problem

PICTURE = b"a picture"
ARTIFACT = artifact(0).model_copy(update={"sha256": hashlib.sha256(PICTURE).hexdigest()})


class Service:
    """Makes every picture at once, or refuses what `bad` is in; keys lead to the job they made first."""

    def __init__(self) -> None:
        self.keys: dict[str, str] = {}
        self.asked: list[dict[str, Any]] = []
        self.ends: dict[str, str] = {}
        self.canceled: list[str] = []
        self.flying = self.most_flying = 0
        self.silent = False

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if path == "/api/v1/generations":
            return self._submit(request)
        job = path.split("/")[4]
        if request.method == "DELETE":
            self.canceled.append(job)
            self.ends[job] = "canceled"
        if path.endswith("/events"):
            return await self._events(job)
        if "/images/" in path:
            return httpx.Response(200, content=PICTURE)
        return httpx.Response(200, json=self._shown(job))

    def _submit(self, request: httpx.Request) -> httpx.Response:
        asked = json.loads(request.content)
        if "bad" in asked["prompt"]:
            return httpx.Response(422, json=problem(422, "invalid_field"))
        key = request.headers["idempotency-key"]
        if key not in self.keys:
            self.keys[key] = f"J{len(self.asked)}"
            self.asked.append(asked)
            return httpx.Response(202, json={**document(), "id": self.keys[key]})
        return httpx.Response(202, json=self._shown(self.keys[key]))

    def _shown(self, job: str) -> dict[str, Any]:
        state = self.ends.get(job, "succeeded")
        made = (ARTIFACT,) if state == "succeeded" else ()
        return {**document(state, artifacts=made), "id": job}

    async def _events(self, job: str) -> httpx.Response:
        self.flying += 1
        self.most_flying = max(self.flying, self.most_flying)
        await asyncio.sleep(60 if self.silent else 0.001)
        self.flying -= 1
        event = {"id": "1-0", "job_id": job, "name": self.ends.get(job, "succeeded"), "at": 1.0, "data": {}}
        return httpx.Response(200, text=f"id: 1-0\nevent: {event['name']}\ndata: {json.dumps(event)}\n\n")


def rows(folder: Path, *prompts: str) -> list[Row]:
    lines, _ = parse_lines("\n".join(prompts), {"priority": "bulk"})
    return rows_of(lines, folder, ".png")


async def make(service: Any, rows: list[Row], at_once: int = 4) -> list[str]:
    async with AsyncClient(URL, retries=0, transport=httpx.MockTransport(service)) as client:
        await make_all(client, rows, at_once)
    return [row.state for row in rows]


async def test_what_is_there_already_is_not_made_again(tmp_path: Path) -> None:
    service = Service()
    assert await make(service, rows(tmp_path, "a", "b")) == ["made", "made"]
    assert await make(service, rows(tmp_path, "new", "b", "a")) == ["made", "there already", "there already"]
    assert [asked["prompt"] for asked in service.asked] == ["a", "b", "new"]
    assert {path.read_bytes() for path in tmp_path.iterdir()} == {PICTURE}


async def test_no_more_are_in_flight_than_allowed(tmp_path: Path) -> None:
    service = Service()
    assert set(await make(service, rows(tmp_path, *map(str, range(12))), at_once=3)) == {"made"}
    assert service.most_flying == 3


async def test_a_batch_that_died_finds_its_jobs_again_by_their_keys(tmp_path: Path) -> None:
    service = Service()
    await make(service, rows(tmp_path, "a"))
    for path in tmp_path.iterdir():
        path.unlink()
    assert await make(service, rows(tmp_path, "a")) == ["made"]
    assert len(service.asked) == 1


async def test_another_folder_gets_pictures_of_its_own(tmp_path: Path) -> None:
    service = Service()
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        await make(service, rows(tmp_path / name, "a"))
    assert len(service.asked) == 2


async def test_what_ended_without_a_picture_before_is_asked_for_anew(tmp_path: Path) -> None:
    service = Service()
    service.ends = {"J0": "canceled", "J1": "failed"}
    assert await make(service, rows(tmp_path, "a")) == ["failed"]
    assert await make(service, rows(tmp_path, "a")) == ["failed"]
    assert await make(service, rows(tmp_path, "a")) == ["made"]
    assert len(service.asked) == 3


async def test_one_bad_line_ends_no_other(tmp_path: Path) -> None:
    made = rows(tmp_path, "a", "bad", "c")
    assert await make(Service(), made) == ["made", "failed", "made"]
    assert made[1].words == "because of invalid_field (invalid_field)"
    assert not made[1].path.exists()


async def test_a_gateway_that_is_away_ends_the_batch(tmp_path: Path) -> None:
    def away(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    with pytest.raises(GatewayAway):
        await make(away, rows(tmp_path, "a", "b"))


async def test_an_interrupt_cancels_what_is_in_flight_and_nothing_else_was_asked(tmp_path: Path) -> None:
    service = Service()
    service.silent = True
    batch = asyncio.create_task(make(service, rows(tmp_path, "a", "b", "c", "d"), at_once=2))
    while service.flying < 2:
        await asyncio.sleep(0.001)
    batch.cancel()
    with pytest.raises(asyncio.CancelledError):
        await batch
    assert (sorted(service.canceled), len(service.asked)) == (["J0", "J1"], 2)


@pytest.mark.parametrize("retries", [0, 8])
async def test_an_interrupt_does_not_wait_for_a_gateway_that_is_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, retries: int
) -> None:
    monkeypatch.setattr(making, "END_SECONDS", 0.05)
    service = Service()
    service.silent = True

    async def talk(request: httpx.Request) -> httpx.Response:
        if request.method == "DELETE":
            raise httpx.ConnectError("refused")
        return await service(request)

    async with AsyncClient(URL, retries=retries, transport=httpx.MockTransport(talk)) as client:
        batch = asyncio.create_task(make_all(client, rows(tmp_path, "a", "b"), 2))
        while service.flying < 2:
            await asyncio.sleep(0.001)
        batch.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(batch, 5)


def test_the_command_tells_what_is_there_and_lays_out_a_sheet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    service, prompts = Service(), tmp_path / "p.txt"
    prompts.write_text("a -- seed=7\nbad\n")
    answered_by(service, monkeypatch)
    sheet = tmp_path / "sheet.png"
    arguments = ["batch", str(prompts), "-o", str(tmp_path / "out"), "--steps", "9", "--json"]
    assert run(arguments) == 1
    made, failed = sorted(
        (json.loads(line) for line in capsys.readouterr().out.splitlines()), key=lambda row: row["line"]
    )
    assert (made["state"], Path(made["path"]).read_bytes(), made["error"]) == ("made", PICTURE, None)
    assert (failed["state"], failed["path"], failed["line"]) == ("failed", None, 2)
    (asked,) = service.asked
    assert asked == {"prompt": "a", "seed": 7, "steps": 9, "output_format": "png", "priority": "bulk"}
    Image.new("RGB", (32, 16), "red").save(made["path"])
    assert run([*arguments, "--contact-sheet", str(sheet)]) == 1
    assert "there already" in capsys.readouterr().out
    with Image.open(sheet) as laid_out:
        assert laid_out.getpixel((144, 144)) == (255, 0, 0)


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        (b"x -- a=1\nx -- b=2", 2, "p.txt: line 2:"),
        (b"# nothing\n", 1, "there is no prompt in it"),
        (b"\xff\xfe", 1, "it is not UTF-8"),
    ],
)
def test_a_file_that_cannot_be_read_asks_for_nothing(
    text: bytes, code: int, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "p.txt").write_bytes(text)
    assert run(["batch", str(tmp_path / "p.txt"), "-o", str(tmp_path / "out")]) == code
    told = capsys.readouterr()
    assert words in told.err
    assert told.out == ""
    assert not (tmp_path / "out").exists()
