"""A worker's three threads: bells on the main one, the engine, and the event loop that talks to the ledger.

When one of them dies, so does the process: the jobs come back through the ledger, and a process whose CUDA context is
broken is of no more use.
"""

import asyncio
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from types import FrameType

from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry
from rq.exceptions import StopRequested

from darkroom.contract.preprocess import PREPROCESSING
from darkroom.log import get_logger
from darkroom.services import WorkerServices, check_start
from darkroom.services.exposition import expose
from worker import tasks
from worker.bell import BellListener
from worker.delivery import open_delivery
from worker.engine import Engine
from worker.engine.memory import DeviceMemory, usable_memory
from worker.exits import CHECKERS_LOST, DEVICE_LOST, MEMORY_LOST, STOPPED
from worker.expiry import CertificateWatch
from worker.finish import Finisher
from worker.hand import Hand
from worker.heart import Heart
from worker.inputs import Inputs
from worker.intake import Intake
from worker.journey import DeviceMeter
from worker.lineage import Lineage
from worker.machine import device_name, finishing_threads, versions
from worker.mapping import MapMaker
from worker.models.lora_cache import open_loras
from worker.models.open import open_models
from worker.models.placement import placement
from worker.patience import patiently
from worker.preprocessors.preprocessing import open_preprocessors
from worker.relay import Relay
from worker.rhythm import Rhythm
from worker.screening import open_screening
from worker.viewer import Viewer

log = get_logger(__name__)


class Worker:
    """Everything of one child, wired. `run` returns when it has been told to stop and has let go of its jobs."""

    def __init__(self, name: str, services: WorkerServices, heart: Heart, loop: asyncio.AbstractEventLoop) -> None:
        """`name` is what the ledger knows it by, `loop` of `open_loop`."""
        settings = services.settings
        self._settings = settings
        self._services = services
        self._heart = heart
        self._stopping = threading.Event()
        self._ready_with: str | None = None  # what it says of itself when it is ready; None before
        self._engine_stop = threading.Event()
        self._loop = loop
        self._models = open_models(settings, services.catalog, services.metrics.cache("models"))
        self._served = [*(spec.name for spec in services.catalog.specs()), PREPROCESSING]
        self._exit_code = STOPPED
        loras = open_loras(settings, services.catalog, services.metrics.cache("loras"))
        device = placement(settings).device
        memory = DeviceMemory(self._models, loras, partial(usable_memory, device), self._end_short_of_memory)
        relay = Relay(self._loop)
        self._engine = Engine(
            self._models,
            relay,
            max_rows=settings.max_rows,
            loras=loras,
            meter=DeviceMeter(services.metrics),
            memory=memory,
        )
        self._engine.sketching.interval = settings.preview_interval
        patience, metrics = settings.outage_patience, services.metrics
        lineage = Lineage(services.store, services.examiner)
        finisher = Finisher(
            services.stamper, services.store, device_name(device), versions(), patience, metrics, lineage
        )
        screening = finisher.screening = open_screening(settings, metrics, self._end_without_checkers)
        self._delivery = finisher.delivery = open_delivery(services, lambda _: self._say_how_it_is())
        preprocessors = open_preprocessors(settings, services.catalog)
        inputs = Inputs(services.store, patience, preprocessors, screening)
        maps = MapMaker(inputs, preprocessors, services.catalog, services.store, patience)
        relay.hand = hand = Hand(services.ledger, self._engine, inputs, finisher, maps, patience, metrics)
        relay.viewer = Viewer(hand, services.ledger)
        self._intake = Intake(
            services.ledger,
            services.bells,
            hand,
            name,
            self._served,
            Rhythm.of(settings.lease_seconds, settings.drain_seconds),
            metrics,
        )

    def warm(self) -> None:
        """Load the default model, then see that ledger, store and signer are there; waits for them. Asked before, they
        may have been away.

        Raises: ModelError naming the file; ConfigurationError for a ledger that cannot keep our promises, or a signer
        whose key is not the certificate's.
        """
        self._models.lease(self._services.catalog.default).release()
        self._heart.say("waiting", "waiting for ledger and store")
        check = patiently(None, lambda: check_start(self._services))
        for warning in self._loop.run_until_complete(check):
            log.warning("worker.warned", reason=warning)
        self._heart.say("waiting", "waiting for whoever signs")
        sign = patiently(None, lambda: asyncio.to_thread(self._services.stamper.check_signer))
        self._loop.run_until_complete(sign)

    def run(self) -> int:
        """Returns the exit code of this process, from `worker.exits`."""
        signal.signal(signal.SIGTERM, self._on_signal)
        signal.signal(signal.SIGINT, self._on_signal)
        ledger = _start("ledger", self._keep_ledger)
        engine = _start("engine", lambda: self._engine.run(self._engine_stop))
        tasks.bind(self._intake)
        self._heart.watch(lambda: self._engine.heartbeat)
        broken = self._services.catalog.broken()
        for words in broken:
            log.error("model.left_out", reason=words)
        self._watch_certificate()
        expose(self._services.metrics, self._settings.host, self._settings.metrics_port)
        self._ready_with = "; ".join(broken)
        self._say_how_it_is()
        log.info("worker.ready", models=self._served)
        while not self._stopping.is_set():
            self._answer_bells()
        self._heart.say("draining")
        ledger.join()
        self._engine_stop.set()
        engine.join(timeout=1.0)
        return self._exit_code

    def _end_short_of_memory(self) -> None:
        self._end(MEMORY_LOST)

    def _end_without_checkers(self) -> None:
        log.error("checkers.lost")
        self._end(CHECKERS_LOST)

    def _end(self, code: int) -> None:
        """Have another child follow. Drain first: what still fits is finished, and the rest goes back with no attempt
        counted."""
        if not self._stopping.is_set():
            self._exit_code = code
            os.kill(os.getpid(), signal.SIGTERM)

    def _say_how_it_is(self) -> None:
        if self._ready_with is None or self._stopping.is_set():
            return
        if self._delivery is not None and self._delivery.high:
            self._heart.say("stalled", "the spool is full: nothing is claimed until the store takes pictures again")
        else:
            self._heart.say("ready", self._ready_with)

    def _watch_certificate(self) -> None:
        """By the signal of the supervisor, for it alone wakes who waits for a bell; another child then follows."""
        stamper = self._services.stamper
        self._services.metrics.signs(stamper.algorithm, stamper.expires_at.timestamp())
        watch = CertificateWatch(stamper.expires_at, lambda: os.kill(os.getpid(), signal.SIGTERM))
        _start("certificate", lambda: watch.run(self._stopping))

    def _answer_bells(self) -> None:
        """Until told to stop, or until RQ gives up on a Redis that is away; then after a moment's rest."""
        url, patience = self._settings.redis_url.get_secret_value(), self._settings.redis_timeout
        try:
            with Redis.from_url(url, socket_connect_timeout=patience, retry=Retry(NoBackoff(), 0)) as connection:
                BellListener(self._served, connection, self._stop).work(logging_level="WARNING")
        except StopRequested:  # the signal came while RQ was starting or ending
            pass
        except (RedisError, OSError) as error:
            log.warning("bells.away", error=type(error).__name__)
        self._stopping.wait(1.0)

    def _on_signal(self, signum: int, frame: FrameType | None) -> None:
        self._stop()

    def _stop(self) -> None:
        self._stopping.set()
        self._intake.drain()

    def _keep_ledger(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._work())
            runner.run(self._services.close())

    async def _work(self) -> None:
        async with asyncio.TaskGroup() as group:
            delivering = group.create_task(self._delivery.run()) if self._delivery else None
            await self._intake.run()
            if delivering:
                delivering.cancel()


def open_loop(services: WorkerServices) -> asyncio.AbstractEventLoop:
    """What talks to ledger and store, and has pictures finished beside it."""
    loop = asyncio.new_event_loop()
    loop.set_default_executor(ThreadPoolExecutor(finishing_threads(waits=services.stamper.waits), "finish"))
    return loop


def _start(name: str, work: Callable[[], None]) -> threading.Thread:
    """A thread whose death is the death of the process."""

    def run() -> None:
        try:
            work()
        except BaseException:
            log.exception("worker.thread_died", thread=name)
            os._exit(DEVICE_LOST)

    thread = threading.Thread(target=run, name=name, daemon=True)
    thread.start()
    return thread
