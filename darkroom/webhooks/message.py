"""What receivers are told: the event, when it was, and the generation as the API shows it.

Of a job that was asked for in the words of Replicate, the prediction alone, as those receivers expect it.
"""

import json
from datetime import UTC, datetime
from typing import Any

from darkroom.contract.document import generation_of
from darkroom.contract.job import Job
from darkroom.contract.prediction import prediction_of
from darkroom.contract.webhook import LentDelivery


def message(lent: LentDelivery, job: Job, *, kept_for: int) -> str:
    """The body of a delivery, made once and sent on every attempt. `kept_for`: as of `generation_of`."""
    if job.webhook and job.webhook.shape == "replicate":
        return _compact(prediction_of(job, lent.base))
    shown = generation_of(job, lent.base, kept_for=kept_for)
    told = {
        "type": lent.event,
        "timestamp": datetime.fromtimestamp(lent.created_at, UTC).isoformat().replace("+00:00", "Z"),
        "data": shown.model_dump(mode="json"),
    }
    return _compact(told)


def _compact(told: dict[str, Any]) -> str:
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))
