"""The paths of the ControlNet extension."""

from typing import Any

from fastapi import APIRouter, Request, Response

from api.deps import ServicesOf
from api.dialects.a1111 import controlnet_extension as extension
from api.dialects.a1111.detecting import detected
from api.dialects.a1111.queries import Switch, says_yes
from api.dialects.bodies import read_object
from api.dialects.callers import Caller
from api.dialects.remarks import Remarks, tell
from darkroom.contract.generation import MAX_CONTROLNETS

router = APIRouter(prefix="/controlnet")


@router.get("/version")
async def get_version(_: Caller) -> dict[str, int]:
    return {"version": extension.VERSION}


@router.get("/model_list")
async def get_models(services: ServicesOf, _: Caller) -> dict[str, Any]:
    return extension.models(services.catalog)


@router.get("/module_list")
async def get_modules(services: ServicesOf, _: Caller, alias_names: Switch = "") -> dict[str, Any]:
    return extension.modules(services.catalog.preprocessors, labels=says_yes(alias_names))


@router.get("/control_types")
async def get_control_types(services: ServicesOf, _: Caller) -> dict[str, Any]:
    return extension.control_types(services.catalog)


@router.get("/settings")
async def get_settings(_: Caller) -> dict[str, int]:
    return {"control_net_unit_count": MAX_CONTROLNETS}


@router.post("/detect")
async def detect(request: Request, response: Response, services: ServicesOf, tenant: Caller) -> dict[str, Any]:
    remarks = Remarks(strict=services.settings.compat_strict)
    asked = extension.detection(await read_object(request), services.catalog.preprocessors, remarks)
    tell(response.headers, remarks.notices)
    return {"images": await detected(request, services, tenant, asked), "info": "Success"}
