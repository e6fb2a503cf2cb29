"""Examples that listen, as processes of their own."""

import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tests.docs.pages import ROOT

EXAMPLES = ROOT / "examples"
SECONDS = 30  # to end, once it is asked to


@contextmanager
def listening(name: str, port: int, **settings: str) -> Iterator["queue.Queue[str]"]:
    """The lines that it prints, while it runs."""
    process = subprocess.Popen(
        [sys.executable, "-P", str(EXAMPLES / name), str(port)],
        env={"PATH": os.environ["PATH"], **settings},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    lines: queue.Queue[str] = queue.Queue()
    reading_on = threading.Thread(target=lambda: [lines.put(line) for line in process.stdout or ()])
    reading_on.start()
    try:
        yield lines
    finally:
        process.terminate()
        process.wait(SECONDS)
        reading_on.join(SECONDS)
        process.stdout.close()
