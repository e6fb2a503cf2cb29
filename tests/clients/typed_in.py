"""A reader who types in what a page says, block after block, in one folder and against one service."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.clients.conftest import HERE, missing
from tests.clients.flavours import Running
from tests.docs.pages import Block

URL = "http://127.0.0.1:8000"  # as pages have it
BLOCK_SECONDS = 120
ONLY_SETTINGS = re.compile(r"(\s*(export )?DARKROOM_\w+=('[^']*'|\S*)\s*\n)+")
READS_SETTINGS = "from darkroom.services.configuration import load_settings; load_settings()"
DONE = "\x04"

# Blocks of one page share their names, as they do for who types them into one Python.
_PYTHON = f"""
import json, sys
names = {{"__name__": "__main__"}}
for line in sys.stdin:
    exec(compile(json.loads(line), "<block>", "exec"), names)
    print("{DONE}", flush=True)
"""


class Reader:
    """Types shell blocks into shells that stop at what fails, and Python's into one that is begun when it is needed."""

    def __init__(self, folder: Path, service: Running) -> None:
        self.folder = folder
        self._url = service.url
        kept = {name: value for name, value in os.environ.items() if not name.startswith("DARKROOM_")}
        path = f"{Path(sys.executable).parent}:{kept['PATH']}"
        here = {"PATH": path, "HOME": str(folder), "OMP_NUM_THREADS": "1"}
        self._environment = {**kept, **here, **service.environment()}
        self._python: subprocess.Popen[str] | None = None

    def type_in(self, block: Block) -> None:
        """Raises: AssertionError, with what the block said, for one that fails."""
        match block.language:
            case "python":
                self._type_python(block.text.replace(URL, self._url))
            case "js":
                self.run([shutil.which("node") or missing("node"), str(self._script(block.text))])
            case "sh":
                self._type_shell(block.text)

    def run(self, command: list[str]) -> str:
        """What a command prints."""
        ended = subprocess.run(
            command, cwd=self.folder, env=self._environment, capture_output=True, text=True, timeout=BLOCK_SECONDS
        )
        assert ended.returncode == 0, f"{command[-1]}\n{ended.stdout}\n{ended.stderr}"
        return ended.stdout

    def close(self) -> None:
        if self._python:
            self._python.kill()
            self._python.communicate()

    def _type_shell(self, text: str) -> None:
        """Of settings alone, the program that would be given them says whether it takes them."""
        script = f"set -a\n{text}\npython -c '{READS_SETTINGS}'" if ONLY_SETTINGS.fullmatch(text) else text
        self.run(["bash", "-euo", "pipefail", "-c", script.replace(URL, self._url)])

    def _script(self, text: str) -> Path:
        (self.folder / "node_modules").unlink(missing_ok=True)
        (self.folder / "node_modules").symlink_to(HERE / "node_modules")
        script = self.folder / "block.mjs"
        script.write_text(text.replace(URL, self._url))
        return script

    def _type_python(self, text: str) -> None:
        if self._python is None:
            self._python = subprocess.Popen(
                [sys.executable, "-P", "-c", _PYTHON],
                cwd=self.folder,
                env=self._environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
        assert self._python.stdin
        assert self._python.stdout
        self._python.stdin.write(json.dumps(text) + "\n")
        self._python.stdin.flush()
        said: list[str] = []
        while (line := self._python.stdout.readline()) and line.strip() != DONE:
            said.append(line)
        assert line, f"{text}\n{''.join(said)}"


@contextmanager
def reading(folder: Path, service: Running) -> Iterator[Reader]:
    """A reader whose curl fails where a request does."""
    (folder / ".curlrc").write_text("fail-with-body\n")
    reader = Reader(folder, service)
    try:
        yield reader
    finally:
        reader.close()
