"""Child processes that never outlive us: asked to stop, killed when late, and killed by the kernel if we die."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from darkroom.lifeline import before_exec
from darkroom.services.configuration import PREFIX

SHORT_LIFE_SECONDS = 10.0
SHORT_LIVES = 3
MOST_LOG_BYTES = 10 * 1024 * 1024


class Child:
    """One darkroom process: `python -m darkroom ARGUMENTS`, its output in a log file of its own."""

    def __init__(self, arguments: Sequence[str], environment: Mapping[str, str], log: Path, fds: Sequence[int] = ()):
        self.name = arguments[0]
        self.log = log
        self._arguments = [sys.executable, "-P", "-m", "darkroom", *arguments]  # -P: the current folder is not ours
        # What we were told is settled in `environment`; a variable of our own would speak over a command-line option.
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
        self._environment = {**inherited, **environment}
        self._fds = tuple(fds)
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self._short_lives = 0

    def start(self) -> None:
        """Start, in a session of its own: Ctrl-C is for the parent, which then stops its children in order."""
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603 - ourselves, no shell
                self._arguments,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                pass_fds=self._fds,
                start_new_session=True,
                preexec_fn=before_exec(os.getpid()),
            )
        self._started_at = time.monotonic()

    def revive(self) -> bool:
        """Start again if it has ended. False when it keeps ending soon after its start: then something is wrong."""
        if self.returncode is None:
            return True
        short = time.monotonic() - self._started_at < SHORT_LIFE_SECONDS
        self._short_lives = self._short_lives + 1 if short else 0
        if self._short_lives >= SHORT_LIVES:
            return False
        self.start()
        return True

    @property
    def returncode(self) -> int | None:
        """None while it runs, or was never started."""
        return self._process.poll() if self._process else None

    def ask_to_stop(self) -> None:
        if self._process and self._process.poll() is None:
            self._process.terminate()

    def wait_or_kill(self, until: float) -> None:
        """Wait for the end until this monotonic time, then kill."""
        if self._process is None:
            return
        try:
            self._process.wait(max(0.0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def last_words(self) -> str:
        """The last line of its log that says something."""
        lines = self.log.read_text(errors="replace").split("\n") if self.log.exists() else []
        return next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")


def trim_log(log: Path, most: int = MOST_LOG_BYTES) -> None:
    """Begin a log anew that has grown beyond `most` bytes; what it held is in `NAME.1`, in the place of what was there.

    Its writer keeps it open and appends, so it is copied and cut, not renamed; a line written in between is lost.
    """
    if log.exists() and log.stat().st_size > most:
        shutil.copyfile(log, log.with_name(f"{log.name}.1"))
        os.truncate(log, 0)


def stop_all(children: Iterable[Child], grace: float) -> None:
    """Ask all to stop at once, then wait up to `grace` seconds for them together."""
    children = list(children)
    for child in children:
        child.ask_to_stop()
    until = time.monotonic() + grace
    for child in children:
        try:
            child.wait_or_kill(until)
        except KeyboardInterrupt:  # asked twice: no more patience
            until = 0.0
            child.wait_or_kill(until)
