"""What answers at `/`: a page for people, and for programs the way to everything else."""

from typing import Annotated

from fastapi import APIRouter, Header, Request
from starlette.responses import Response

import darkroom
from api.addresses import base_url
from api.deps import ServicesOf
from api.page import INDEX, answer_with, content_security_policy, files, wants_page
from api.problems import DOCUMENTATION
from darkroom.contract.document import Resource
from darkroom.errors import NotFound

router = APIRouter(include_in_schema=False)

IfNoneMatch = Annotated[str | None, Header()]


class Pointers(Resource):
    openapi: str
    errors: str
    capabilities: str
    generations: str


class Root(Resource):
    name: str
    version: str
    links: Pointers


@router.get("/")
async def point_the_way(
    request: Request, services: ServicesOf, accept: Annotated[str, Header()] = "", if_none_match: IfNoneMatch = None
) -> Response:
    """For whoever tries the bare address. Tells programs nothing that `/openapi.json` does not."""
    if services.settings.playground and wants_page(accept):
        policy = {"Content-Security-Policy": content_security_policy(services.settings), "Vary": "Accept"}
        return answer_with(files()[INDEX], if_none_match, policy)
    body = _root(base_url(request, services.settings)).model_dump_json()
    return Response(body, media_type="application/json", headers={"Vary": "Accept"})


@router.get("/playground/{name}")
async def get_page_file(services: ServicesOf, name: str, if_none_match: IfNoneMatch = None) -> Response:
    """What the page is made of. Raises: NotFound, for every name where the page is off."""
    file = files().get(name)
    if file is None or not services.settings.playground:
        raise NotFound("no such path")
    return answer_with(file, if_none_match)


def _root(base: str) -> Root:
    links = Pointers(
        openapi=f"{base}/openapi.json",
        errors=f"{base}{DOCUMENTATION}",
        capabilities=f"{base}/api/v1/capabilities",
        generations=f"{base}/api/v1/generations",
    )
    return Root(name="darkroom", version=darkroom.__version__, links=links)
