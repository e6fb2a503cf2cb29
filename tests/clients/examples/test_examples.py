"""The programs of `examples/`, run as their first lines say, with keys and without."""

import queue
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from PIL import Image

from darkroom.ledger.server import free_port
from tests.clients.conftest import HERE
from tests.clients.examples.listening import EXAMPLES, listening
from tests.clients.flavours import Running
from tests.clients.typed_in import reading
from tests.receiver import OTHER_SECRET, SECRET

SECONDS = 60


@dataclass(frozen=True)
class Example:
    """`says` is found in what it prints, `leaves` are the pictures it writes."""

    command: tuple[str, ...]
    says: str
    leaves: tuple[str, ...]


PROGRAMS = [
    Example(("bash", "curl.sh"), r'progress\nsucceeded\nstar\.png\n"state":"intact"\n$', ("star.png",)),
    Example(("python", "python_client.py"), r"succeeded\nintact [0-9a-f]{12}\n$", ("star.png", "red.png")),
    Example(("node", "fetch.mjs"), r"star\.png 128 128 [0-9a-f]{12}\n$", ("star.png",)),
    Example(
        ("python", "openai_sdk.py"), r"openai\.png\nedited\.png\n(?s:.*)completed\n$", ("openai.png", "edited.png")
    ),
    Example(("node", "openai-sdk.mjs"), r"openai\.png\nmodel_not_found .*tiny", ("openai.png",)),
    Example(("python", "a1111.py"), r"tiny.*\n(?s:.*)Seed: 7, Size: 128x128", ("a1111.png",)),
    Example(("python", "contact_sheet.py", "sheet.png"), r"sheet\.png\n$", ("sheet.png",)),
]


@pytest.fixture(params=["service", "keyed"])
def flavour(request: pytest.FixtureRequest) -> Running:
    running: Running = request.getfixturevalue(request.param)
    return running


@pytest.mark.parametrize("example", PROGRAMS, ids=lambda example: example.command[1])
def test_an_example_does_what_it_says(example: Example, flavour: Running, tmp_path: Path) -> None:
    program, name, *arguments = example.command
    # Node looks for packages from where the program lies.
    (tmp_path / "node_modules").symlink_to(HERE / "node_modules")
    script = Path(shutil.copy(EXAMPLES / name, tmp_path)) if program == "node" else EXAMPLES / name
    with reading(tmp_path, flavour) as reader:
        said = reader.run([program, str(script), *arguments])
    assert re.search(example.says, said), said
    for name in example.leaves:
        with Image.open(tmp_path / name) as picture:
            picture.load()


def test_every_example_is_run_by_a_test() -> None:
    tests = "".join(path.read_text() for path in Path(__file__).parent.glob("*.py"))
    files = {path.name for path in EXAMPLES.iterdir() if path.is_file() and path.suffix != ".md"}
    assert {name for name in files if f'"{name}"' not in tests} == set()


@contextmanager
def receiver(port: int, secret: str) -> Iterator["queue.Queue[str]"]:
    """The receiver of the examples as a process; what it prints."""
    with listening("webhook_receiver.py", port, WEBHOOK_SECRET=secret) as lines:
        assert "listening on" in lines.get(timeout=SECONDS)
        yield lines


def test_the_receiver_of_webhooks_takes_what_we_send_once(keyed: Running) -> None:
    port = keyed.receiver_ports[1]
    with receiver(port, SECRET) as lines, httpx.Client(base_url=keyed.url, headers=keyed.headers("ann")) as client:
        asked = {"prompt": "a red circle", "steps": 2, "webhook_url": f"http://127.0.0.1:{port}/"}
        made = client.post("/api/v1/generations", json=asked).json()
        event, generation, url = lines.get(timeout=SECONDS).split()
        assert (event, generation) == ("generation.succeeded", made["id"])
        assert url.startswith(keyed.url)

        (delivery,) = client.get("/api/v1/webhooks/deliveries", params={"generation": made["id"]}).json()["deliveries"]
        again = client.post(f"/api/v1/webhooks/deliveries/{delivery['id']}/replay")
        assert again.status_code == 200, again.text
        other = client.post("/api/v1/generations", json=asked | {"seed": 1}).json()
        assert lines.get(timeout=SECONDS).split()[1] == other["id"], "the message that came twice was told once"


def test_the_receiver_of_webhooks_refuses_what_is_not_ours() -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}/"
    with receiver(port, OTHER_SECRET) as lines:
        signed = {"webhook-id": "msg_1", "webhook-timestamp": "1", "webhook-signature": "v1,AAAA"}
        assert httpx.post(url, content=b"{}", headers=signed).status_code == 401
        assert httpx.post(url, content=b"{}").status_code == 401
        assert httpx.post(url, content=b" " * (2 * 1024 * 1024)).status_code == 413
        assert lines.empty()
