"""Where a reader stopped: the id of the last event, the id of the last job."""

import re

from ulid import ULID

from darkroom.errors import InvalidField

_EVENT_ID = re.compile(r"(\d{1,20})(?:-(\d{1,20}))?", re.ASCII)
_LARGEST = 2**64 - 1
_DELIVERY = re.compile(r"(\d{1,15})\.(msg_[0-9A-HJKMNP-TV-Z]{26}_\d{1,10})", re.ASCII)


def event_id(text: str) -> tuple[int, int]:
    """A Redis stream id as (milliseconds, sequence). Raises: InvalidField for anything else."""
    match = _EVENT_ID.fullmatch(text)
    parts = (int(match[1]), int(match[2] or 0)) if match else (_LARGEST + 1, 0)
    if max(parts) > _LARGEST:
        raise InvalidField("after", "not an event id of ours")
    return parts


def job_cursor(text: str) -> str:
    """A job id to continue after. Raises: InvalidField for anything that is not a ULID."""
    try:
        return str(ULID.from_str(text))
    except ValueError as error:
        raise InvalidField("cursor", "not a cursor of ours") from error


def delivery_cursor(text: str) -> tuple[str, str]:
    """Milliseconds and id of the delivery to continue after. Raises: InvalidField for anything else."""
    match = _DELIVERY.fullmatch(text)
    if match is None:
        raise InvalidField("cursor", "not a cursor of ours")
    return match[1], match[2]
