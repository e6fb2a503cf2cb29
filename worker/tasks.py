"""The only function RQ may run here. It carries no data: what to do is read from the ledger."""

from typing import Protocol


class Serving(Protocol):
    def serve(self, model: str) -> None:
        """Wake the worker, and return when the ledger has nothing more for it and its engine is idle."""
        ...


_serving: Serving | None = None


def bind(serving: Serving | None) -> None:
    """Name the worker of this process; RQ calls `serve` by name, so it cannot be handed one."""
    global _serving
    _serving = serving


def serve(model: str) -> None:
    """Answer a bell: generate until nothing waits for this worker.

    Raises: RuntimeError in a process that is not a worker.
    """
    if _serving is None:
        raise RuntimeError("this process serves no model")
    _serving.serve(model)
