"""What routes are given: the services, the calling tenant, and ids that cannot be anything but ids."""

import re
from typing import Annotated

from fastapi import Depends, Path, Query, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from api.auth import KeyRing
from api.patterns import JOB_ID_PATTERN
from darkroom.errors import NotFound
from darkroom.services import Services

MAX_PAGE = 100

_bearer = HTTPBearer(
    auto_error=False, scheme_name="key", description="An API key. Not needed where `allow_anonymous` is set."
)


def services_of(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


def tenant_of(request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]) -> str:
    """The caller's tenant. Raises: Unauthenticated."""
    keys: KeyRing = request.app.state.keys
    tenant = keys.tenant(credentials.credentials if credentials else None)
    request.state.tenant = tenant
    return tenant


def job_id_of(
    job_id: Annotated[
        str, Path(description="id of a generation (ULID)", json_schema_extra={"pattern": JOB_ID_PATTERN})
    ],
) -> str:
    """The id, if it can be one: a malformed id is an unknown id, and never reaches the ledger's keys."""
    if not re.fullmatch(JOB_ID_PATTERN, job_id):
        raise NotFound("no such generation")
    return job_id


ServicesOf = Annotated[Services, Depends(services_of)]
Tenant = Annotated[str, Depends(tenant_of)]
JobId = Annotated[str, Depends(job_id_of)]
PageLimit = Annotated[int, Query(ge=1, le=MAX_PAGE, description="most generations in the page")]
