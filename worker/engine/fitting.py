"""Where works wait for their LoRAs, before they wait for their model."""

from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait

from worker.engine.request import Work, WorkId
from worker.models.lora import Applied, Lora
from worker.models.lora_cache import LoraCache

Fetches = Sequence[Future[Lora]]


class Fitting:
    """A work whose LoRAs are there goes on at once, also past one that waits."""

    def __init__(self, loras: LoraCache) -> None:
        self._loras = loras
        self._waiting: dict[WorkId, tuple[Work, Fetches]] = {}
        self._fitted: dict[WorkId, tuple[Applied, ...]] = {}

    def push(self, work: Work) -> None:
        self._waiting[work.id] = work, [self._loras.fetch(lora) for lora in work.plan.loras]

    def drop(self, work_id: WorkId) -> Work | None:
        """Forget a work; None when it does not wait here."""
        self._fitted.pop(work_id, None)
        work, _ = self._waiting.pop(work_id, (None, ()))
        return work

    def ready(self) -> list[tuple[Work, Exception | None]]:
        """Works that may go on, in order of arrival, each with the reason why it cannot when a LoRA failed."""
        done = [entry for entry in self._waiting.values() if all(fetch.done() for fetch in entry[1])]
        for work, _ in done:
            del self._waiting[work.id]
        return [(work, self._fit(work, fetches)) for work, fetches in done]

    def take(self, work: Work) -> tuple[Applied, ...]:
        """The LoRAs of a work that went on, once."""
        return self._fitted.pop(work.id, ())

    def wait(self, seconds: float) -> bool:
        """Wait for a LoRA to be loaded. False, at once, when nobody waits for one."""
        fetches = [fetch for _, fetches in self._waiting.values() for fetch in fetches if not fetch.done()]
        if fetches:
            wait(fetches, seconds, return_when=FIRST_COMPLETED)
        return bool(self._waiting)

    def _fit(self, work: Work, fetches: Fetches) -> Exception | None:
        for fetch in fetches:
            error = fetch.exception()
            if isinstance(error, Exception):
                return error
        pairs = zip(work.plan.loras, fetches, strict=True)
        self._fitted[work.id] = tuple(Applied(fetch.result(), planned.weight) for planned, fetch in pairs)
        return None
