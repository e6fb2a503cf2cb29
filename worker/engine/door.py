"""Where works wait for their model."""

import time
from collections.abc import Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from darkroom.errors import DarkroomError
from worker.engine.request import Work, WorkId
from worker.models.cache import Lease, ModelCache

Entry = Lease | Exception


class Door:
    """Loads models on a thread of its own, while the lanes step on.

    In order of arrival, except that a work whose model is there does not wait for one whose model is being loaded. It
    does wait behind one whose model has no room in memory: else the models in use would be leased for ever.
    """

    def __init__(self, models: ModelCache) -> None:
        self._models = models
        self._waiting: list[Work] = []
        self._loads: dict[str, Future[Lease]] = {}
        self._begun: dict[str, float] = {}
        self._loader = ThreadPoolExecutor(max_workers=1, thread_name_prefix="darkroom-loader")

    def push(self, work: Work) -> None:
        self._waiting.append(work)

    def drop(self, work_id: WorkId) -> Work | None:
        """Take a work out of the line; None when it is not in it."""
        dropped = next((work for work in self._waiting if work.id == work_id), None)
        self._waiting = [work for work in self._waiting if work.id != work_id]
        return dropped

    def open(self) -> list[tuple[Work, Entry]]:
        """Works that may go on, each with a lease of its own on its model, or with the reason why there is none."""
        # Asked once: a load that ends in the middle must not let the second in line go before the first.
        loaded = {name: load for name, load in self._loads.items() if load.done()}
        opened: list[tuple[Work, Entry]] = []
        for work in self._waiting:
            if self._blocked(work.plan.model):
                break
            entry = self._entry(work.plan.model, loaded)
            if entry is not None:
                opened.append((work, entry))
        gone = {work.id for work, _ in opened}
        self._waiting = [work for work in self._waiting if work.id not in gone]
        self._forget(loaded)
        return opened

    @property
    def loading_since(self) -> float | None:
        """When the oldest load under way was ordered, by CLOCK_MONOTONIC; None while there is none."""
        return min(self._begun.values(), default=None)

    def wait(self, seconds: float) -> bool:
        """Wait for a load to end. False, at once, when none is under way."""
        if not self._loads:
            return False
        wait(self._loads.values(), seconds, return_when=FIRST_COMPLETED)
        return True

    def close(self) -> None:
        self._loader.shutdown(cancel_futures=True)
        self._forget(dict(self._loads))

    def _blocked(self, name: str) -> bool:
        try:
            return name not in self._loads and self._models.fits(name) == "later"
        except DarkroomError:
            return False  # reserving it will say what is wrong

    def _entry(self, name: str, loaded: Mapping[str, Future[Lease]]) -> Entry | None:
        """None while the model is being loaded."""
        if name in loaded:
            error = loaded[name].exception()
            return error if isinstance(error, Exception) else self._models.lease(name)
        if name in self._loads:
            return None
        lease = self._models.lease_loaded(name)
        return lease if lease is not None else self._begin(name)

    def _begin(self, name: str) -> Entry | None:
        """Room in memory is taken at once, so that nobody behind in the line takes it before the loading begins."""
        try:
            self._loads[name] = self._loader.submit(self._models.reserve(name))
            self._begun[name] = time.monotonic()
        except DarkroomError as error:
            return error
        return None

    def _forget(self, loads: Mapping[str, Future[Lease]]) -> None:
        """A finished load holds its model in place until those who waited for it have leases of their own."""
        for name, load in loads.items():
            del self._loads[name], self._begun[name]
            if not load.cancelled() and load.exception() is None:
                load.result().release()
