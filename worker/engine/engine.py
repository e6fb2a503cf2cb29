"""The step loop. One thread runs it; `admit`, `cancel`, `room`, `in_flight` and `heartbeat` are for any thread."""

import time
from collections.abc import Callable, Sequence
from functools import partial
from threading import Event

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from darkroom.errors import GenerationError, ModelError
from worker.engine.decoder import Decoder
from worker.engine.door import Door, Entry
from worker.engine.encode import NOTHING, Encoded
from worker.engine.encoder import Encoder
from worker.engine.faults import as_failure, fatal, sparing
from worker.engine.fitting import Fitting
from worker.engine.generation import Generation
from worker.engine.inbox import Inbox
from worker.engine.lane import Seat
from worker.engine.lanes import Lanes
from worker.engine.memory import DeviceMemory
from worker.engine.meter import Meter, Unmetered
from worker.engine.pulse import IDLE, Heartbeat, begin
from worker.engine.request import ROWS_GUIDED, Listener, Work, WorkId
from worker.engine.sketching import Sketching
from worker.models.cache import ModelCache
from worker.models.lora_cache import LoraCache, no_loras
from worker.pictures.canvas import Blank, Canvas

# Seconds a load may take before a watcher worries: 7 GB from a cold disk.
LOAD_SECONDS = 200.0
# The same for what comes before the first step: words and maps are read by networks that may run for the first time.
PREPARATION_SECONDS = 20.0
WAIT_SECONDS = 0.2


class Engine:
    """Generations of any model, size, scheduler and guidance; those that can share forward passes do.

    `max_rows`, at least 2, bounds the rows of one pass, and by `room` those of everything admitted; a lane that finds
    its knee lower has fewer. `meter` is told what time goes into, `memory` of pictures that had too little.
    """

    def __init__(
        self,
        models: ModelCache,
        listener: Listener,
        max_rows: int = 16,
        clock: Callable[[], float] = time.perf_counter,
        loras: LoraCache | None = None,
        meter: Meter | None = None,
        memory: DeviceMemory | None = None,
    ) -> None:
        if max_rows < ROWS_GUIDED:
            raise ValueError(f"max_rows must be at least {ROWS_GUIDED}: guidance needs as many")
        self._listener = listener
        self._meter = meter or Unmetered()
        self._clock = clock
        self.sketching = Sketching(listener)
        self._inbox = Inbox(max_rows)
        self._loras = loras or no_loras()
        self._memory = memory or DeviceMemory(models, self._loras)
        self._fitting = Fitting(self._loras)
        self._door = Door(models)
        self._lanes = Lanes(max_rows, self._memory.free, clock, self._expect)
        self._encoder = Encoder(self._memory.free, clock, self._expect)
        self._decoder = Decoder(self._memory.free, clock, self._expect)
        self._generations: dict[WorkId, Generation] = {}
        self._heartbeat = IDLE

    @property
    def heartbeat(self) -> Heartbeat:
        """The operation running now, for a watcher that must tell slow from stuck."""
        return self._heartbeat

    def admit(self, work: Work) -> None:
        """Take a work in; it joins at the next step. Raises: ValueError for an attempt that is already here."""
        self._inbox.admit(work)

    def cancel(self, job_id: str) -> None:
        """Drop the attempts at a job that are here now, at the next step; nothing for a job that is not here."""
        self._inbox.cancel(job_id)

    def room(self) -> int:
        """How many more jobs of one guided image would run at once."""
        return self._inbox.room()

    def in_flight(self) -> tuple[Work, ...]:
        """Works admitted and not yet ended, in order of admission."""
        return self._inbox.in_flight()

    def run(self, stop: Event) -> None:
        """Step until `stop` is set, which is looked at between steps. Raises what the device does not recover from."""
        while not stop.is_set():
            if not self.step():
                began = self._clock()
                self._inbox.wait(WAIT_SECONDS)
                self._meter.idled("work", self._clock() - began)

    def close(self) -> None:
        """End the loading threads."""
        self._door.close()
        self._loras.close()

    @torch.inference_mode()
    def step(self) -> bool:
        """Encode one canvas, step one lane, decode one image. False when there was nothing to do."""
        try:
            self._memory.look()
            self._receive()
            encoded = self._encode_one()
            stepped = self._step_lane()
            decoded = self._decode_one()
            self._inbox.limit(self._lanes.wanted_rows)
            return encoded or stepped or decoded or self._await_load()
        finally:
            self._heartbeat = IDLE

    def _receive(self) -> None:
        arrivals, cancels = self._inbox.take()
        for work in arrivals:
            self._fitting.push(work)
        for work_id in cancels:
            self._cancel(work_id)
        for work, error in self._fitting.ready():
            if error is None:
                self._door.push(work)
            else:
                self._refuse(work, error)
        for work, entry in self._door.open():
            self._enter(work, entry)

    def _enter(self, work: Work, entry: Entry) -> None:
        self._heartbeat = begin(PREPARATION_SECONDS)
        began = self._clock()
        try:
            generation = Generation(work, entry, self._fitting.take(work), self._memory.free)
        except Exception as error:  # noqa: BLE001  a request's own part may fail for that request alone
            self._refuse(work, error)
            return
        generation.entered = self._clock()
        self._meter.spent(work, "encode_words", generation.entered - began)
        self._generations[work.id] = generation
        for notice in generation.notices():
            self._listener.on_notice(work, notice)
        self._begin_with(self._lanes.arrive(generation), work.canvas)

    def _begin_with(self, seats: list[Seat], canvas: Canvas | Tensor) -> None:
        """Let these images of one generation begin their next stage with what is on a canvas, or with pixels."""
        stage = seats[0].sample.next_stage
        if isinstance(canvas, Blank) or stage is None:
            self._begin(seats, lambda: NOTHING)
        else:
            self._encoder.add(seats, stage, canvas)

    def _begin(self, seats: Sequence[Seat], encode: Callable[[], Encoded]) -> None:
        generation = seats[0].generation
        try:
            encoded = sparing(encode, self._memory.free)
            for seat in seats:
                seat.sample.begin(encoded)
        except Exception as error:
            if fatal(error):
                raise
            self._fail(generation, as_failure(error, "preparation"))
        else:
            self._lanes.join(seats)

    def _encode_one(self) -> bool:
        self._heartbeat = begin()
        begun = self._encoder.step()
        if begun is None:
            return False
        generation = begun.seats[0].generation
        generation.device_seconds += begun.seconds
        self._meter.spent(generation.work, "encode_picture", begun.seconds)
        if isinstance(begun.result, GenerationError):
            self._fail(generation, begun.result)
        else:
            encoded = begun.result
            self._begin(begun.seats, lambda: encoded)
        return True

    def _refuse(self, work: Work, error: Exception) -> None:
        if fatal(error):
            raise error
        self._fitting.drop(work.id)
        self._inbox.ended(work)
        failure = error if isinstance(error, ModelError) else as_failure(error, "preparation")
        self._memory.failed(failure)
        self._listener.on_failed(work, failure, 0.0)

    def _step_lane(self) -> bool:
        lane = self._lanes.next()
        if lane is None:
            return False
        self._heartbeat = begin()
        possible = lane.knee.rows
        tick = lane.step()
        rows = sum(seat.rows for seat in tick.seats)
        self._meter.passed(tick.seats[0].sample.stage.model, rows, max(rows, possible), tick.seconds)
        for seat in tick.seats:
            seat.generation.device_seconds += tick.share(seat)
        for seat, error in tick.failures.items():
            self._fail(seat.generation, error)
        self._advance([seat for seat in tick.seats if seat.generation.work.id in self._generations])
        return True

    def _advance(self, seats: list[Seat]) -> None:
        for generation in dict.fromkeys(seat.generation for seat in seats):
            self._listener.on_step(generation.work, generation.step, generation.steps)
        self.sketching.look(seats)
        denoised = [seat for seat in seats if seat.sample.denoised]
        self._lanes.retire(denoised)
        for seat in denoised:
            self._hand_on(seat)

    def _hand_on(self, seat: Seat) -> None:
        """To the lane of its next stage, or to the decoder."""
        if seat.generation.work.id not in self._generations:
            return  # another image of it has just failed
        stage, entered = seat.sample.next_stage, seat.generation.entered
        if stage is None:
            self._meter.spent(seat.generation.work, "denoise", self._clock() - entered, seat.sample.index)
        if stage is None or stage.begins_with_picture:
            self._decoder.add([seat])
        else:
            self._begin([seat], partial(stage.after_latents, seat.sample.latents_1CHW))

    def _decode_one(self) -> bool:
        self._heartbeat = begin()
        decoded = self._decoder.step()
        if decoded is None:
            return False
        generation = decoded.seat.generation
        generation.device_seconds += decoded.seconds
        self._meter.spent(generation.work, "decode", decoded.seconds, decoded.seat.sample.index)
        if isinstance(decoded.result, GenerationError):
            self._fail(generation, decoded.result)
        elif isinstance(decoded.result, Tensor):
            self._begin_with([decoded.seat], decoded.result)
        else:
            self._deliver(decoded.seat, decoded.result)
        return True

    def _deliver(self, seat: Seat, rgb_HWC: NDArray[np.uint8]) -> None:
        generation = seat.generation
        generation.undecoded -= 1
        self._inbox.needs(generation.work, generation.rows)
        self._listener.on_image(generation.work, seat.sample.index, rgb_HWC)
        if not generation.undecoded:
            self._end(generation)
            self._listener.on_finished(generation.work, generation.device_seconds)

    def _await_load(self) -> bool:
        self._heartbeat = Heartbeat(self._door.loading_since, LOAD_SECONDS)
        began = self._clock()
        waited = self._door.wait(WAIT_SECONDS) or self._fitting.wait(WAIT_SECONDS)
        if waited:
            self._meter.idled("loading", self._clock() - began)
        return waited

    def _cancel(self, work_id: WorkId) -> None:
        waiting = self._fitting.drop(work_id)
        work = self._door.drop(work_id) or waiting
        if work is not None:
            self._inbox.ended(work)
            self._listener.on_canceled(work, 0.0)
        elif work_id in self._generations:
            generation = self._generations[work_id]
            self._end(generation)
            self._listener.on_canceled(generation.work, generation.device_seconds)

    def _fail(self, generation: Generation, error: GenerationError) -> None:
        if generation.work.id in self._generations:
            self._end(generation)
            self._memory.failed(error)
            self._listener.on_failed(generation.work, error, generation.device_seconds)

    def _end(self, generation: Generation) -> None:
        del self._generations[generation.work.id]
        self._lanes.drop(generation)
        self._encoder.drop(generation)
        self._decoder.drop(generation)
        generation.close()
        self._inbox.ended(generation.work)

    def _expect(self, seconds: float) -> None:
        self._heartbeat = Heartbeat(self._heartbeat.at, self._heartbeat.expected + seconds)
