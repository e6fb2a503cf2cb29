"""The page that a problem's `type` leads to: every code, from the error tree itself."""

import re
from collections.abc import Iterator
from html import escape

from fastapi import APIRouter
from starlette.responses import HTMLResponse

import darkroom.errors
from api.problems import DOCUMENTATION, problem
from darkroom.errors import DarkroomError

router = APIRouter(include_in_schema=False)

_DRAWN = dict(re.findall(r"[├└]── (\w+) {2,}(.+)", darkroom.errors.__doc__ or ""))

_PAGE = """<!doctype html>
<html lang="en">
<title>darkroom: error codes</title>
<h1>Error codes</h1>
<dl>
{rows}
</dl>
</html>
"""


@router.get(DOCUMENTATION)
async def list_error_codes() -> HTMLResponse:
    rows = "\n".join(_row(code, status, words) for code, (status, words) in sorted(known_codes().items()))
    return HTMLResponse(_PAGE.format(rows=rows))


def known_codes() -> dict[str, tuple[int, str]]:
    """code -> (HTTP status, what it means)."""
    return {error.code: (error.status, _words(error)) for error in _family(DarkroomError)}


def _family(root: type[DarkroomError]) -> Iterator[type[DarkroomError]]:
    yield root
    for child in root.__subclasses__():
        yield from _family(child)


def _words(error: type[DarkroomError]) -> str:
    own = (error.__doc__ or "").strip().partition("\n")[0]
    return own or _DRAWN.get(error.__name__) or problem(error.code, 500, "").title


def _row(code: str, status: int, words: str) -> str:
    return f"<dt id={escape(code)}><code>{escape(code)}</code> ({status})</dt><dd>{escape(words)}</dd>"
