"""A key behind a command: the bytes to sign on its standard input, the signature on its standard output."""

import os
import select
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import BoundedSemaphore
from typing import Final

from darkroom.errors import ConfigurationError, SigningUnavailable
from darkroom.provenance.keyholders.answers import MOST_BYTES

AT_ONCE: Final = 8  # processes; further pictures wait, within their time
KEPT: Final = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR")


@dataclass(frozen=True)
class SigningCommand:
    """`argv` is run as it is, without a shell, for each signature. It sees `KEPT` and `passed` of our environment:
    our own variables hold secrets that are none of its business. It is killed, with all that it started, after
    `seconds`.
    """

    argv: tuple[str, ...]
    seconds: float = 5.0
    passed: tuple[str, ...] = ()
    _slots: BoundedSemaphore = field(default_factory=lambda: BoundedSemaphore(AT_ONCE), repr=False, compare=False)

    def check(self) -> None:
        """Raises: ConfigurationError when there is no such program."""
        if shutil.which(self.argv[0], path=os.environ.get("PATH")) is None:
            raise ConfigurationError("the program of DARKROOM_SIGNING_COMMAND cannot be found or run")

    def sign(self, data: bytes) -> bytes:
        """Raises: SigningUnavailable."""
        until = time.monotonic() + self.seconds
        if not self._slots.acquire(timeout=self.seconds):
            raise SigningUnavailable("the signing command is busy with other pictures")
        try:
            return self._answer(data, until)
        except OSError as error:
            raise SigningUnavailable(f"the signing command cannot be run: {error.strerror}") from error
        finally:
            self._slots.release()

    def close(self) -> None:
        """There is nothing to give back: every process has ended."""

    def _answer(self, data: bytes, until: float) -> bytes:
        # A file, not a pipe: a command that does not read holds up nobody.
        with tempfile.TemporaryFile() as question:
            question.write(data)
            question.seek(0)
            process = subprocess.Popen(  # noqa: S603  the operator's own command, without a shell
                self.argv,
                stdin=question,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=self._environment(),
                start_new_session=True,
            )
        with _ended(process):
            answer = _read(process, until)
            code = _wait(process, until)
        if code:
            raise SigningUnavailable(f"the signing command ended with {code}")
        return answer

    def _environment(self) -> dict[str, str]:
        names = (*KEPT, *self.passed)
        return {name: os.environ[name] for name in names if name in os.environ}


@contextmanager
def _ended(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Whatever happens, the command and all it started are gone. It leads a group of its own."""
    try:
        yield
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def _read(process: subprocess.Popen[bytes], until: float) -> bytes:
    assert process.stdout is not None
    pipe, answer = process.stdout.fileno(), b""
    ready = select.poll()
    ready.register(pipe, select.POLLIN)
    while len(answer) <= MOST_BYTES:
        left = until - time.monotonic()
        if left <= 0 or not ready.poll(left * 1000):
            raise SigningUnavailable("the signing command took too long")
        part = os.read(pipe, MOST_BYTES + 1 - len(answer))
        if not part:
            return answer
        answer += part
    raise SigningUnavailable(f"the signing command wrote more than {MOST_BYTES} bytes")


def _wait(process: subprocess.Popen[bytes], until: float) -> int:
    try:
        return process.wait(max(0.0, until - time.monotonic()))
    except subprocess.TimeoutExpired:
        raise SigningUnavailable("the signing command took too long") from None
