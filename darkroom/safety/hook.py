"""A service of the operator's that is asked about prompts and pictures, over HTTP.

It is posted one question at a time, in JSON, and answers `{"categories": {NAME: SCORE}}`; docs/safety.md has the words.
Where it fails three times in a row nobody waits for it any more until it answers `{"kind": "ping"}`.
"""

import base64
import io
import json
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Annotated, Final
from urllib.parse import urlsplit

from PIL import Image
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from darkroom.breaker import ANY_FAILURE, Breaker
from darkroom.errors import ConfigurationError, SafetyUnavailable
from darkroom.log import get_logger
from darkroom.loopback import is_loopback
from darkroom.outbound.poster import Disconnected, Poster, PostFailed
from darkroom.safety.answering import answering, picture
from darkroom.safety.protocol import Pixels, Scores

NAME: Final = "hook"
MOST_ANSWER: Final = 64 * 1024
MOST_CATEGORIES: Final = 100
SIDE: Final = 512  # pixels of the longer side of a picture that is shown
QUALITY: Final = 90  # of its JPEG
UNSAID: Final = "unsaid"

log = get_logger(__name__)

_Category = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
_Score = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class HookAnswer(BaseModel):
    """`version` is the service's own word for what it knows, such as a model's name and date."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    categories: Annotated[dict[_Category, _Score], Field(max_length=MOST_CATEGORIES)]
    version: Annotated[str, Field(pattern=r"^[\x21-\x7e]{1,64}$")] = UNSAID


@dataclass(frozen=True)
class HookPlace:
    """`token` goes along as a bearer token. `roots` are PEM certificates that its TLS is held to, or the system's."""

    url: str
    seconds: float = 5.0
    token: str | None = field(default=None, repr=False)
    roots: Path | None = None
    plaintext: bool = False

    def check(self) -> None:
        """Raises: ConfigurationError for a way on which others could listen, and for what could not be sent."""
        parts = urlsplit(self.url)
        if parts.scheme != "https" and not is_loopback(parts.hostname or "") and not self.plaintext:
            raise ConfigurationError(
                "DARKROOM_SAFETY_HOOK_URL must be https, but for services on this machine;"
                " DARKROOM_SAFETY_HOOK_PLAINTEXT lets others read along"
            )
        if self.token and not (self.token.isascii() and self.token.isprintable() and " " not in self.token):
            raise ConfigurationError("DARKROOM_SAFETY_HOOK_TOKEN has characters that no header can have")
        self.tls()

    def tls(self) -> ssl.SSLContext:
        try:
            return ssl.create_default_context(cafile=str(self.roots) if self.roots else None)
        except (OSError, ValueError) as error:
            raise ConfigurationError("DARKROOM_SAFETY_HOOK_CA does not hold PEM certificates") from error


class Hook:
    """Threads share it, and its connections. Redirects are not followed, proxies not used."""

    def __init__(self, place: HookPlace) -> None:
        self.version = UNSAID
        self._place = place
        self._headers = {"content-type": "application/json", "accept": "application/json"}
        if place.token:
            self._headers["authorization"] = f"Bearer {place.token}"
        self._poster = Poster(proxies=False, tls=place.tls())
        self._breaker = Breaker("safety hook", limits=ANY_FAILURE)
        self._breaker.probe_by(lambda: self._asked(b'{"kind": "ping"}'))

    def ask(self, question: dict[str, object]) -> Scores:
        """Raises: SafetyUnavailable."""
        body = json.dumps(question).encode()
        return self._poster.run(self._guarded(body))

    def close(self) -> None:
        """Give up its connections; nobody may ask any more."""
        self._poster.run(self._breaker.close())
        self._poster.close()

    async def _guarded(self, body: bytes) -> Scores:
        with self._breaker.guarding():
            return await self._asked(body)

    async def _asked(self, body: bytes) -> Scores:
        try:
            answer = HookAnswer.model_validate_json(await self._posted(body))
        except PostFailed as error:
            raise self._failed(str(error)) from None
        except ValidationError as error:
            wrong = error.errors(include_input=False, include_url=False)[0]
            raise self._failed(f"answered with {wrong['type']} in {wrong['loc'][:1]}") from None
        self.version = answer.version
        return answer.categories

    async def _posted(self, body: bytes) -> bytes:
        """Tried anew at once where a kept connection was closed by the other side. Raises: PostFailed."""
        url, seconds, headers = self._place.url, self._place.seconds, self._headers
        began = monotonic()
        try:
            return await self._poster.send(url, body, headers, seconds=seconds, most=MOST_ANSWER)
        except Disconnected:
            left = max(seconds - (monotonic() - began), 0.0)
            return await self._poster.send(url, body, headers, seconds=left, most=MOST_ANSWER)

    @staticmethod
    def _failed(reason: str) -> SafetyUnavailable:
        log.warning("checker.failed", checker=NAME, reason=reason)
        return SafetyUnavailable(f"the safety checker {NAME} gave no answer")


class _Asking:
    name: Final = NAME

    def __init__(self, hook: Hook) -> None:
        self.hook = hook

    @property
    def version(self) -> str:
        """As it said with its latest answer."""
        return self.hook.version


class PromptHook(_Asking):
    """Asks about words."""

    def scores(self, text: str) -> Scores:
        """Raises: SafetyUnavailable."""
        with answering(NAME):
            return self.hook.ask({"kind": "prompt", "prompt": text})


class PictureHook(_Asking):
    """Asks about pictures, made small."""

    def scores(self, rgb_HWC: Pixels) -> Scores:
        """Raises: SafetyUnavailable."""
        with answering(NAME):
            return self.hook.ask({"kind": "picture", **shown(picture(rgb_HWC))})


def shown(rgb_HWC: Pixels) -> dict[str, object]:
    """The picture in JPEG, no side longer than SIDE, and the size that it has."""
    height, width = rgb_HWC.shape[:2]
    small = Image.fromarray(rgb_HWC)
    small.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS, reducing_gap=None)
    with io.BytesIO() as file:
        small.save(file, "JPEG", quality=QUALITY)
        encoded = base64.b64encode(file.getvalue()).decode()
    return {"media_type": "image/jpeg", "image": encoded, "width": width, "height": height}
