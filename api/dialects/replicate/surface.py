"""All routes of Replicate's API."""

from typing import Final

from fastapi import APIRouter

from api.dialects.replicate import predictions, routes

PREFIX: Final = "/replicate"

router = APIRouter()
router.include_router(predictions.router)
router.include_router(routes.router)
