"""The time of signing, attested by a timestamp authority (RFC 3161).

c2pa-rs asks the authority itself, for as long as it takes: one that accepts a connection and says nothing would hold a
picture for ever. So it is given an address on loopback, where we ask for it, within a time. Whether the answer is of
this picture is c2pa-rs's to judge: it holds nonce and hash against what it asked.
"""

import secrets
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Final, Generic, TypeVar

from darkroom.errors import ConfigurationError, TimestampUnavailable, UnsignedOutput
from darkroom.log import get_logger
from darkroom.outbound.poster import Poster, PostFailed

LOOPBACK: Final = "127.0.0.1"
QUERY: Final = "application/timestamp-query"
MOST_BYTES: Final = 64 * 1024  # a token with its chain is 3 to 8 KB
REST_SECONDS: Final = 60.0

_log = get_logger(__name__)

T = TypeVar("T")


@dataclass(frozen=True)
class TimestampAuthority:
    """`required`: without an attested time nothing is signed. `roots_pem`, if any, must vouch for the authority."""

    url: str
    required: bool = False
    seconds: float = 5.0
    roots_pem: str = ""

    def check(self) -> None:
        """Raises: ConfigurationError where c2pa-rs would ask a proxy for an address on loopback."""
        proxies = urllib.request.getproxies()
        if ("http" in proxies or "all" in proxies) and not urllib.request.proxy_bypass(LOOPBACK):
            raise ConfigurationError(f"with a proxy set, NO_PROXY must name {LOOPBACK} for timestamps to be asked for")


class Circuit:
    """Whether to ask somebody who may not answer: after a failure nobody does for `rest` seconds, and then only one,
    until it is known how that went. `clock` is in seconds.
    """

    def __init__(self, rest: float = REST_SECONDS, clock: Callable[[], float] = time.monotonic) -> None:
        self._rest = rest
        self._clock = clock
        self._lock = Lock()
        self._open_until: float | None = None
        self._trying = False

    def enter(self) -> bool:
        """Whoever is let in calls `leave`."""
        with self._lock:
            if self._open_until is None:
                return True
            if self._trying or self._clock() < self._open_until:
                return False
            self._trying = True
            return True

    def leave(self, *, well: bool | None) -> None:
        """`well` is None for one who left without having asked."""
        with self._lock:
            self._trying = False
            if well is not None:
                self._open_until = None if well else self._clock() + self._rest


@dataclass
class _Question:
    """One picture's, at an address of its own."""

    url: str
    asked: bool = False
    why: str = ""


@dataclass(frozen=True)
class _Outcome(Generic[T]):
    """What was made, with a timestamp unless `why` says why not; None where making it would have to be done again."""

    made: T | None
    why: str = ""


class Timestamping:
    """The way to one authority. For one process: a fork needs another."""

    def __init__(self, authority: TimestampAuthority, circuit: Circuit | None = None) -> None:
        self._authority = authority
        self._circuit = circuit or Circuit()
        self._poster = Poster(proxies=True)
        self._open: dict[str, _Question] = {}
        self._server = _Server((LOOPBACK, 0), _handler(self))
        self._thread = Thread(target=self._server.serve_forever, args=(0.1,), name="timestamps", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self._poster.close()

    def timed(self, sign: Callable[[str | None], T], judge: Callable[[T], str]) -> T:
        """What `sign` makes when it is given an address to ask for a timestamp at. `judge` says what is wrong with the
        timestamp in it, "" for nothing. Where there is none to be had, what `sign` makes without an address.

        Raises: TimestampUnavailable in its place where a timestamp is required; whatever `sign` raises otherwise.
        """
        if not (self._authority.required or self._circuit.enter()):
            return sign(None)
        well: bool | None = None
        try:
            with self._question() as question:
                outcome = _tried(sign, judge, question)
            if question.asked:
                well = not outcome.why
        finally:
            self._circuit.leave(well=well)
        if outcome.why and self._authority.required:
            raise TimestampUnavailable(f"no time of signing is attested: {outcome.why}")
        if outcome.why:
            _log.warning("timestamp.missing", reason=outcome.why, rest=REST_SECONDS)
        return sign(None) if outcome.made is None else outcome.made

    def answer(self, token: str, query: bytes) -> bytes | None:
        """The authority's own answer to what c2pa-rs asks; None where there is none, or nobody of ours asked."""
        question = self._open.get(token)
        if question is None:
            return None
        question.asked = True
        try:
            headers = {"content-type": QUERY, "accept": "application/timestamp-reply"}
            seconds = self._authority.seconds
            return self._poster.post(self._authority.url, query, headers, seconds=seconds, most=MOST_BYTES)
        except PostFailed as error:
            question.why = f"the timestamp authority does not answer: {error}"
            return None

    @contextmanager
    def _question(self) -> Iterator[_Question]:
        token = secrets.token_urlsafe(16)  # others on this machine must not ask the authority in our name
        question = self._open[token] = _Question(f"http://{LOOPBACK}:{self._server.server_port}/{token}")
        try:
            yield question
        finally:
            del self._open[token]


def _tried(sign: Callable[[str | None], T], judge: Callable[[T], str], question: _Question) -> _Outcome[T]:
    try:
        made = sign(question.url)
    except UnsignedOutput:
        if not question.asked:
            raise
        if question.why:
            return _Outcome(None, question.why)
        # Either the answer or the picture was refused: the picture, if it is refused without an answer as well.
        return _Outcome(sign(None), "the timestamp authority's answer is not one to this question")
    why = judge(made)
    return _Outcome(None, why) if why else _Outcome(made)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Not to standard error, with a traceback, as the library has it: anybody on this machine may hang up."""
        _log.warning("timestamp.interrupted", error=type(sys.exception()).__name__)


def _handler(timestamping: Timestamping) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 10

        def do_POST(self) -> None:
            length = self.headers.get("content-length") or ""
            told = length.isdecimal() and len(length) < 10
            query = self.rfile.read(min(int(length), MOST_BYTES)) if told else b""
            answer = timestamping.answer(self.path.removeprefix("/"), query)
            self.send_response(200 if answer is not None else 502)
            self.send_header("content-type", "application/timestamp-reply")
            self.send_header("content-length", str(len(answer or b"")))
            self.end_headers()
            self.wfile.write(answer or b"")

        def log_message(self, *_: object) -> None:
            """Nothing: the address is a secret, and what went wrong is said elsewhere."""

    return Handler
