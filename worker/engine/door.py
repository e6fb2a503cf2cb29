"""Where works wait for their models, and for a VAE of their own if they name one."""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any

from darkroom.errors import DarkroomError, OutOfMemory
from worker.engine.needs import Leases, joined, needs
from worker.engine.request import Work, WorkId
from worker.models.cache import Lease, ModelCache, Wanted

Entry = Leases | Exception
Loads = Mapping[Wanted, Future[Lease[Any]]]


class Door:
    """Loads what works need on a thread of its own, while the lanes step on.

    In order of arrival, except that a work whose needs are there does not wait for one whose model is being loaded. It
    does wait behind one whose needs have no room in memory: else the models in use would be leased for ever. Room is
    made for all that a work needs at once, so that no two works hold what the other waits for.
    """

    def __init__(self, models: ModelCache) -> None:
        self._models = models
        self._waiting: list[Work] = []
        self._held: dict[WorkId, dict[Wanted, Lease[Any]]] = {}
        self._loads: dict[Wanted, Future[Lease[Any]]] = {}
        self._loading_since: float | None = None
        self._loader = ThreadPoolExecutor(max_workers=1, thread_name_prefix="darkroom-loader")

    def push(self, work: Work) -> None:
        self._waiting.append(work)

    def drop(self, work_id: WorkId) -> Work | None:
        """Take a work out of the line; None when it is not in it."""
        dropped = next((work for work in self._waiting if work.id == work_id), None)
        self._waiting = [work for work in self._waiting if work.id != work_id]
        self._give_back(work_id)
        return dropped

    def open(self) -> list[tuple[Work, Entry]]:
        """Works that may go on, each with leases of its own on its needs, or with the reason why there are none."""
        # Asked once: a load that ends in the middle must not let the second in line go before the first.
        loaded = {wanted: load for wanted, load in self._loads.items() if load.done()}
        opened: list[tuple[Work, Entry]] = []
        for work in self._waiting:
            if self._blocked(work):
                break
            entry = self._entry(work, loaded)
            if entry is not None:
                opened.append((work, entry))
        gone = {work.id for work, _ in opened}
        self._waiting = [work for work in self._waiting if work.id not in gone]
        self._forget(loaded)
        return opened

    @property
    def loading_since(self) -> float | None:
        """When the load under way began, by CLOCK_MONOTONIC; None while there is none. Others may wait for its end."""
        return self._loading_since

    def wait(self, seconds: float) -> bool:
        """Wait for a load to end. False, at once, when none is under way."""
        if not self._loads:
            return False
        wait(self._loads.values(), seconds, return_when=FIRST_COMPLETED)
        return True

    def close(self) -> None:
        self._loader.shutdown(cancel_futures=True)
        self._forget(dict(self._loads))

    def _blocked(self, work: Work) -> bool:
        wanted = needs(work.plan)
        if all(one in self._loads or one in self._held.get(work.id, ()) for one in wanted):
            return False
        try:
            return self._models.fits(*wanted) == "later"
        except DarkroomError:
            return False  # reserving it will say what is wrong

    def _entry(self, work: Work, loaded: Loads) -> Entry | None:
        """None while something is being loaded."""
        held = self._held.setdefault(work.id, {})
        error = self._collect(work, held, loaded) or self._begin(work, held)
        if error is not None:
            self._give_back(work.id)
            return error
        if len(held) < len(needs(work.plan)):
            return None
        return joined(work.plan, self._held.pop(work.id))

    def _collect(self, work: Work, held: dict[Wanted, Lease[Any]], loaded: Loads) -> Exception | None:
        """Lease what is there, before room is made for what is not."""
        for wanted in needs(work.plan):
            if wanted in held or (wanted in self._loads and wanted not in loaded):
                continue
            if wanted in loaded and isinstance(error := loaded[wanted].exception(), Exception):
                return error
            if (lease := self._models.lease_loaded(wanted)) is not None:
                held[wanted] = lease
        return None

    def _begin(self, work: Work, held: Mapping[Wanted, Lease[Any]]) -> Exception | None:
        """Room in memory is taken at once, so that nobody behind in the line takes it before the loading begins."""
        absent = [wanted for wanted in needs(work.plan) if wanted not in held and wanted not in self._loads]
        try:
            if absent and self._models.fits(*needs(work.plan)) == "never":
                return OutOfMemory("the models of this request do not fit into memory together")
            for wanted in absent:
                self._loads[wanted] = self._loader.submit(self._load, self._models.reserve(wanted))
        except DarkroomError as error:
            return error
        return None

    def _load(self, load: Callable[[], Lease[Any]]) -> Lease[Any]:
        """On the loader's thread, of which there is one."""
        self._loading_since = time.monotonic()
        try:
            return load()
        finally:
            self._loading_since = None

    def _give_back(self, work_id: WorkId) -> None:
        for lease in self._held.pop(work_id, {}).values():
            lease.release()

    def _forget(self, loads: Loads) -> None:
        """A finished load holds its model in place until those who waited for it have leases of their own."""
        for wanted, load in loads.items():
            del self._loads[wanted]
            if not load.cancelled() and load.exception() is None:
                load.result().release()
