"""What instruments of every kind share: the registry they are on, and how finely seconds are told apart."""

from prometheus_client import CollectorRegistry

FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
SLOW = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0)


class Registered:
    """Instruments on a registry, a new one unless it is given."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry if registry is not None else CollectorRegistry()
        self.shown = False  # whether this process has a port at which anybody can see them
