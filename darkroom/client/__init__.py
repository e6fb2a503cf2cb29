"""darkroom from Python: `Client` waits for each answer, `AsyncClient` awaits it. Neither needs anything of a server.

`flows/` says, without a line of I/O, what is asked and what becomes of the answers; `steps.py` has all that a flow can
ask for, and `wire.py` and `async_wire.py` do it. So the two clients differ in nothing but how they wait.
"""

from darkroom.client.async_client import AsyncClient
from darkroom.client.client import Client
from darkroom.client.errors import (
    BadRequest,
    Blocked,
    Busy,
    ClientError,
    Conflict,
    GatewayAway,
    NotAllowed,
    NotFound,
    NotMade,
    PromptBlocked,
    Refused,
    ServerFault,
    TimedOut,
    UnexpectedAnswer,
)
from darkroom.client.fields import Fields
from darkroom.client.pictures import Picture

__all__ = [
    "AsyncClient",
    "BadRequest",
    "Blocked",
    "Busy",
    "Client",
    "ClientError",
    "Conflict",
    "Fields",
    "GatewayAway",
    "NotAllowed",
    "NotFound",
    "NotMade",
    "Picture",
    "PromptBlocked",
    "Refused",
    "ServerFault",
    "TimedOut",
    "UnexpectedAnswer",
]
