"""The step loop: requests of different shapes of work share forward passes, and join and leave between steps."""

from worker.engine.engine import Engine
from worker.engine.pulse import Heartbeat
from worker.engine.request import Listener, Work

__all__ = ["Engine", "Heartbeat", "Listener", "Work"]
