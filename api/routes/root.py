"""What answers at `/`: the way to everything else."""

from fastapi import APIRouter, Request

import darkroom
from api.addresses import base_url
from api.deps import ServicesOf
from api.problems import DOCUMENTATION
from darkroom.contract.document import Resource

router = APIRouter(include_in_schema=False)


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
async def point_the_way(request: Request, services: ServicesOf) -> Root:
    """For whoever tries the bare address. Tells nothing that `/openapi.json` does not."""
    base = base_url(request, services.settings)
    links = Pointers(
        openapi=f"{base}/openapi.json",
        errors=f"{base}{DOCUMENTATION}",
        capabilities=f"{base}/api/v1/capabilities",
        generations=f"{base}/api/v1/generations",
    )
    return Root(name="darkroom", version=darkroom.__version__, links=links)
