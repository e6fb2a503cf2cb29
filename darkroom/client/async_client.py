"""A gateway from Python, each call awaited. All that is said here is said in `darkroom.client.client` as well."""

import builtins
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Literal, Self, TypeVar, Unpack

import httpx
from pydantic import BaseModel

from darkroom.client.async_wire import AsyncWire
from darkroom.client.fields import Fields, PictureOrName, RerunSeed
from darkroom.client.flows import following, generations, lookups, uploading, webhooks
from darkroom.client.flows.sending import document
from darkroom.client.pictures import Picture
from darkroom.client.place import DEFAULT_RETRIES, DEFAULT_TIMEOUT, place_of
from darkroom.client.steps import Request
from darkroom.contract.control import ControlType
from darkroom.contract.deliveries import DeliveryDetail, DeliveryShown, Endpoints
from darkroom.contract.document import Generation
from darkroom.contract.job import JobEvent
from darkroom.contract.listing import (
    Asset,
    Capabilities,
    Controlnets,
    Embeddings,
    Loras,
    Models,
    Preprocessors,
    Schedulers,
    Vaes,
)
from darkroom.contract.verdict import Verdict
from darkroom.contract.webhook import DeliveryState

D = TypeVar("D", bound=BaseModel)


class AsyncClient:
    """A gateway, within one event loop. Use it as an async context manager, or close it.

    `url` and `api_key` are those of DARKROOM_URL and DARKROOM_API_KEY where they are left out. `timeout` is how many
    seconds a gateway may be silent. What broke on the way, or met a busy gateway, is asked again up to `retries` times,
    and nothing is done twice by that.
    """

    def __init__(
        self,
        url: str | None = None,
        api_key: str | None = None,
        *,
        timeout: float = DEFAULT_TIMEOUT,
        retries: int = DEFAULT_RETRIES,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        place = place_of(url, api_key, timeout)
        self.url = place.url
        self._retries = retries
        self._wire = AsyncWire(place, transport)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close its connections."""
        await self._wire.close()

    async def generate(
        self,
        prompt: str,
        *,
        on_event: Callable[[Generation | JobEvent], object] | None = None,
        within: float | None = None,
        idempotency_key: str | None = None,
        **fields: Unpack[Fields],
    ) -> Generation:
        """Make pictures and wait for them. What interrupts the wait, Ctrl-C or `within` seconds, cancels them.

        `on_event` has the record once it is accepted, and then each event.
        Raises: NotMade, TimedOut, Refused, GatewayAway, UnexpectedAnswer.
        """
        asked = {"prompt": prompt, **fields}
        return await self._wire.run(following.made(asked, idempotency_key, within, self._retries), on_event)

    async def submit(self, prompt: str, *, idempotency_key: str | None = None, **fields: Unpack[Fields]) -> Generation:
        """Ask for pictures and wait for nothing. By one `idempotency_key` there is one generation, however often asked;
        left out, one is made for this call. Raises: Refused, GatewayAway, UnexpectedAnswer, as do all the others."""
        return await self._wire.run(generations.submitted({"prompt": prompt, **fields}, idempotency_key, self._retries))

    async def get(self, generation_id: str) -> Generation:
        """A generation as it stands now."""
        return await self._wire.run(generations.looked_up(generation_id, self._retries))

    def list(self, *, failure: Literal["attempts_exhausted"] | None = None) -> AsyncIterator[Generation]:
        """Your generations, newest first, page by page as they are wanted; by `failure` those that were given up."""
        return self._wire.told(generations.listed(failure, self._retries))

    async def cancel(self, generation_id: str) -> Generation:
        """End a generation. One that had ended is as it was."""
        return await self._wire.run(generations.canceled(generation_id, self._retries))

    async def rerun(
        self, generation_id: str, *, seed: RerunSeed = None, idempotency_key: str | None = None
    ) -> Generation:
        """Make a generation again: the same pictures, or by another `seed`. Waits for nothing."""
        return await self._wire.run(generations.rerun(generation_id, seed, idempotency_key, self._retries))

    def events(self, generation_id: str, *, after: str = "") -> AsyncIterator[JobEvent]:
        """What happens to a generation after the event of that id, until it has ended. Goes on where it was cut."""
        return self._wire.told(following.events(generation_id, after))

    async def wait(
        self,
        generation: Generation | str,
        *,
        on_event: Callable[[JobEvent], object] | None = None,
        within: float | None = None,
    ) -> Generation:
        """Its record with its pictures. It goes on when `within` seconds are over. Raises: NotMade, TimedOut."""
        flow = following.ended(_id(generation), within, self._retries)
        return following.with_pictures(await self._wire.run(flow, on_event))

    async def image(self, generation: Generation | str, index: int = 0) -> bytes:
        """The bytes of one picture; of a record, those whose hash it has."""
        return await self._wire.run(generations.picture(generation, index, self._retries))

    async def preview(self, generation_id: str, index: int = 0) -> bytes:
        """The latest sketch of a picture that was asked for with `previews`, a JPEG. Raises: NotFound without one."""
        return await self._wire.run(generations.preview(generation_id, index, self._retries))

    async def save(self, generation: Generation, output: Path | str) -> builtins.list[Path]:
        """Its pictures under `output`; several become out-0.png, out-1.png …. A file is there whole or not at all."""
        return await self._wire.run(generations.saved(generation, Path(output), self._retries))

    async def upload(self, picture: Picture) -> Asset:
        """Keep a picture with the gateway, under an id that fields may name."""
        return await self._wire.run(uploading.uploaded(picture, self._retries))

    async def asset(self, asset_id: str) -> bytes:
        """A picture that was uploaded, or a control map, as PNG."""
        return await self._wire.run(uploading.asset(asset_id, self._retries))

    async def preprocess(self, type: ControlType, image: PictureOrName, *, detect_resolution: int = 512) -> Asset:
        """The control map of a picture, once it is made: its id is an `image` of `controlnets`. Raises: NotMade."""
        asked = {"type": type, "image": image, "detect_resolution": detect_resolution}
        return await self._wire.run(lookups.control_map(asked, self._retries))

    async def verify(self, picture: PictureOrName) -> Verdict:
        """What can be proven about a picture, or about the one at a URL, which the gateway fetches."""
        return await self._wire.run(lookups.verdict(picture, self._retries))

    async def models(self) -> Models:
        """The models, with the defaults of a request without its own."""
        return await self._listed("models", Models)

    async def loras(self) -> Loras:
        """The LoRAs, and those that are configured but broken."""
        return await self._listed("loras", Loras)

    async def vaes(self) -> Vaes:
        """The VAEs that may take the place of a model's own."""
        return await self._listed("vaes", Vaes)

    async def controlnets(self) -> Controlnets:
        """The ControlNets, and the models they go with."""
        return await self._listed("controlnets", Controlnets)

    async def embeddings(self) -> Embeddings:
        """The textual inversions that a prompt may name."""
        return await self._listed("embeddings", Embeddings)

    async def schedulers(self) -> Schedulers:
        """The schedulers by name and title."""
        return await self._listed("schedulers", Schedulers)

    async def preprocessors(self) -> Preprocessors:
        """The types of control map that can be made."""
        return await self._listed("preprocessors", Preprocessors)

    async def capabilities(self) -> Capabilities:
        """Tasks, formats, names and limits in one answer."""
        return await self._listed("capabilities", Capabilities)

    async def unserved(self) -> builtins.list[str]:
        """Models that no worker serves now."""
        return (await self._wire.run(lookups.readiness(self._retries))).unserved

    def deliveries(
        self,
        *,
        state: Sequence[DeliveryState] | None = None,
        generation: str | None = None,
        after: datetime | None = None,
        before: datetime | None = None,
    ) -> AsyncIterator[DeliveryShown]:
        """What was told to webhooks, newest first: of events in [after, before), in one of these states."""
        wanted = {"state": state, "generation": generation, "after": after, "before": before}
        return self._wire.told(webhooks.deliveries(wanted, self._retries))

    async def delivery(self, delivery_id: str) -> DeliveryDetail:
        """One delivery with its attempts."""
        return await self._wire.run(webhooks.delivery(delivery_id, self._retries))

    async def replay(self, delivery_id: str) -> DeliveryDetail:
        """Make a delivery again, also one that arrived."""
        return await self._wire.run(webhooks.replayed(delivery_id, self._retries))

    async def replay_all(
        self,
        *,
        after: datetime | None = None,
        before: datetime | None = None,
        states: Sequence[Literal["delivered", "dead"]] = ("dead",),
    ) -> int:
        """Make all deliveries of a time again. Returns how many."""
        wanted = {"after": after, "before": before, "states": states}
        return await self._wire.run(webhooks.all_replayed(wanted, self._retries))

    async def endpoints(self) -> Endpoints:
        """URLs that are sent nothing more, because they answered 410."""
        return await self._wire.run(webhooks.endpoints(self._retries))

    async def enable(self, url: str) -> Endpoints:
        """Send to such a URL again."""
        return await self._wire.run(webhooks.enabled(url, self._retries))

    async def _listed(self, name: str, kind: type[D]) -> D:
        return await self._wire.run(document(Request("GET", f"/api/v1/{name}"), kind, self._retries))


def _id(generation: Generation | str) -> str:
    return generation if isinstance(generation, str) else generation.id
