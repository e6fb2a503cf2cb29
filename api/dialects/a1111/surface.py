"""All routes of the dialect, and the paths below which errors have its shape."""

from fastapi import APIRouter

from api.dialects.a1111 import routes_controlnet, routes_make, routes_state

PREFIXES = ("/sdapi", "/controlnet", "/internal")

router = APIRouter()


@router.get("/internal/ping")
async def ping() -> dict[str, str]:
    """Whether anybody is there, which asks for no key."""
    return {}


router.include_router(routes_make.router)
router.include_router(routes_state.router)
router.include_router(routes_controlnet.router)
