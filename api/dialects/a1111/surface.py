"""All routes of the dialect, and the paths below which errors have its shape."""

from fastapi import APIRouter

from api.dialects.a1111 import routes_make, routes_state

PREFIXES = ("/sdapi", "/controlnet")

router = APIRouter()
router.include_router(routes_make.router)
router.include_router(routes_state.router)
