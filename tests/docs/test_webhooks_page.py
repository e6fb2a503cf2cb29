"""The page on webhooks: its recipe verifies what we sign, and its tables are the code's."""

from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import SecretStr

from darkroom.contract.webhook import ENDS, WEBHOOK_EVENTS
from darkroom.settings import Settings
from darkroom.webhooks.signing import Signer
from tests.docs.pages import blocks, page, table_rows
from tests.receiver import OTHER_SECRET, SECRET

PAGE = "docs/webhooks.md"
BODY = '{"type":"generation.failed","data":{"prompt":"∅"}}'
UNITS = {"s": 1, "min": 60, "h": 3600}


def recipe() -> Any:
    (block,) = [block for block in blocks(PAGE) if block.language == "python"]
    names: dict[str, Any] = {}
    exec(block.text, names)
    return names["received"]


def signed(at: datetime, *secrets: str) -> dict[str, str]:
    return Signer({"ann": [SecretStr(secret) for secret in secrets]}).headers("ann", "msg_1", at, BODY)


def test_the_recipe_takes_what_we_signed_and_nothing_else() -> None:
    received, now = recipe(), datetime.now(UTC)
    assert received(BODY.encode(), signed(now, SECRET), SECRET)["type"] == "generation.failed"
    assert received(BODY.encode(), signed(now, SECRET, OTHER_SECRET), OTHER_SECRET) is not None
    assert received(BODY.encode(), signed(now, SECRET), OTHER_SECRET) is None
    assert received(BODY.encode() + b" ", signed(now, SECRET), SECRET) is None
    assert received(BODY.encode(), signed(now - timedelta(minutes=6), SECRET), SECRET) is None


def test_the_page_has_every_event_and_which_are_told_by_default() -> None:
    told = {row[0]: row[2] == "by default" for row in table_rows(PAGE) if row[0].startswith("generation.")}
    assert told == {event: event in ENDS for event in WEBHOOK_EVENTS}


def test_the_page_has_the_schedule() -> None:
    (line,) = [line for line in page(PAGE).splitlines() if line.startswith("| after |")]
    cells = [cell.strip() for cell in line.strip("|").split("|")][1:]
    seconds = [0 if cell == "at once" else int(cell.split()[0]) * UNITS[cell.split()[1]] for cell in cells]
    assert tuple(seconds) == Settings().webhook_schedule
