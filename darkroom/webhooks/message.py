"""What receivers are told: the event, when it was, and the generation as the API shows it."""

import json
from datetime import UTC, datetime

from darkroom.contract.document import generation_of
from darkroom.contract.job import Job
from darkroom.contract.webhook import LentDelivery


def message(lent: LentDelivery, job: Job, *, kept_for: int) -> str:
    """The body of a delivery, made once and sent on every attempt. `kept_for`: as of `generation_of`."""
    shown = generation_of(job, lent.base, kept_for=kept_for)
    told = {
        "type": lent.event,
        "timestamp": datetime.fromtimestamp(lent.created_at, UTC).isoformat().replace("+00:00", "Z"),
        "data": shown.model_dump(mode="json"),
    }
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))
