"""From a body to a request of ours, with all that its answer has to know."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from starlette.requests import Request

from api.dialects.masks import remade
from api.dialects.openai.answers import Operation
from api.dialects.openai.fields import Wanted, wanted
from api.dialects.openai.inputs import edited
from api.dialects.openai.masks import inverted
from api.dialects.openai.users import user_of
from api.dialects.remarks import Remarks
from api.dialects.requested import requested
from darkroom.contract.generation import GenerationRequest, Inpaint
from darkroom.contract.plan import Notice
from darkroom.services import Services


@dataclass(frozen=True)
class Asking:
    """One call: who asks for what, and what was remarked on it."""

    tenant: str
    operation: Operation
    wanted: Wanted
    request: GenerationRequest
    notices: tuple[Notice, ...]

    @property
    def told(self) -> Wanted:
        """What the answer has to know, without the pictures that the fields may hold."""
        return replace(self.wanted, fields={})


async def asking_of(
    request: Request,
    services: Services,
    tenant: str,
    body: Mapping[str, Any],
    operation: Operation = "image_generation",
) -> Asking:
    """Raises: InvalidField, UnknownModel, ModelError, RequestValidationError; what `remade` raises."""
    settings = services.settings
    remarks = Remarks(strict=settings.compat_strict)
    told = wanted(body, services.catalog, settings.model_aliases, remarks, pictures=operation == "image_edit")
    fields = dict(told.fields)
    if operation == "image_edit":
        fields |= edited(body, remarks, settled=told.names)
    if user := user_of(body, services.subkeys.callers):
        fields["metadata"] = with_user(fields.get("metadata"), user)
    asked = requested(fields, told.names)
    theirs = operation == "image_edit" and "mask" not in told.names
    if theirs and isinstance(asked, Inpaint):  # decoded once all else is known to be sound
        mask = await remade(request, services, tenant, asked.mask, inverted)
        asked = asked.model_copy(update={"mask": mask})
    return Asking(tenant, operation, told, asked, remarks.notices)


def with_user(metadata: Any, user: Mapping[str, str]) -> Any:
    """What is no object is for the contract to refuse."""
    return {**user, **metadata} if isinstance(metadata, dict) else metadata or dict(user)
