"""The page that a problem's `type` leads to: every code, as a browser shows it or as a program reads it."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from api import error_page
from api.problems import DOCUMENTATION, MEDIA_TYPE

router = APIRouter(include_in_schema=False)

_HEADERS = {
    "Content-Security-Policy": f"default-src 'none'; style-src {error_page.STYLE_POLICY}; frame-ancestors 'none'",
}


@router.get(DOCUMENTATION)
async def explain_error_codes(request: Request) -> Response:
    """HTML for who asks for it, as browsers do, JSON for who asks for that, and Markdown for everybody else."""
    accepted = request.headers.get("accept", "")
    if "text/html" in accepted:
        return Response(error_page.as_html(), headers=_HEADERS, media_type="text/html")
    if "application/json" in accepted or MEDIA_TYPE in accepted:
        return Response(error_page.as_json(), headers=_HEADERS, media_type="application/json")
    return Response(error_page.as_markdown(), headers=_HEADERS, media_type="text/markdown")
