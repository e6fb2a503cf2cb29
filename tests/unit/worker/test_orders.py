"""What a supervisor tells its child."""

from typing import Any

import pytest

from darkroom.settings import Settings
from worker.launch import Orders

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.mark.parametrize(
    "changed",
    [
        {"tenants": {"studio": {"weight": 2, "max_running": 1}}},
        {"webhook_secrets": {"studio": [SECRET]}},
        {"controlnets": {"lines": {"type": "canny", "path": "/nets/lines"}}},
        {"watermark_old_secrets": ["ab" * 32]},
        {"outbound_allow": ["10.0.0.0/8", "fd00::/8"]},
        {"models": {"xl": "/models/xl"}, "redis_url": "redis://:secret@127.0.0.1/0"},
        {},
    ],
    ids=lambda changed: next(iter(changed), "nothing"),
)
def test_a_child_gets_the_settings_as_they_are_secrets_and_all(changed: dict[str, Any]) -> None:
    """One that cannot be told would never start."""
    orders = Orders(Settings(**changed), "worker-1", 7, 3)
    assert Orders.loads(orders.dumps()) == orders
