"""Every attack of the table, at one real gateway: answered as its row says, within two seconds and 200 MB."""

import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from darkroom.ledger.server import LocalRedis
from tests.gateway import API_KEYS, KEYS
from tests.security.attack_table import ASSETS, JSON, PNG, Attack, attacks, is_there, rows
from tests.security.makers import PICTURES
from tests.servers.gateway_process import Process, process, watched

TRIES = 3  # a machine that is crowded is slow now and then; what hangs, hangs each time
MEBIBYTE = 1024
HERE = "127.0.0.2"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes
    seconds: float
    grown_kb: int

    @property
    def code(self) -> str | None:
        """Ours, wherever a dialect's errors have it."""
        found = json.loads(self.body) if "json" in self.headers.get("content-type", "") else None
        told: dict[str, Any] = found if isinstance(found, dict) else {}
        error = told.get("error")
        return told.get("code") or (error.get("darkroom_code") if isinstance(error, dict) else error)


class BadServer:
    """Answers pictures' URLs as nobody should."""

    def __init__(self) -> None:
        self._listening = socket.create_server((HERE, 0))
        self.port: int = self._listening.getsockname()[1]
        self._pool = ThreadPoolExecutor(16)
        self._over = threading.Event()
        self._pool.submit(self._accept)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                self._pool.submit(self._answer, self._listening.accept()[0])

    def _answer(self, sock: socket.socket) -> None:
        with sock, suppress(OSError):
            asked = sock.recv(65536).split(b" ")[1].decode()
            sock.sendall(
                b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:6379/\r\nContent-Length: 0\r\n\r\n"
                if asked == "/redirect"
                else b"HTTP/1.1 200 OK\r\n"
            )
            if asked == "/short":
                sock.sendall(b"Content-Length: 500\r\n\r\nx")
            elif asked == "/endless":
                sock.sendall(b"\r\n")
                while not self._over.is_set():
                    sock.sendall(bytes(65536))
            elif asked == "/drip":
                sock.sendall(b"\r\n")
                while not self._over.wait(0.5):
                    sock.sendall(b"x")

    def close(self) -> None:
        self._over.set()
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._pool.shutdown()


@contextmanager
def bad_server() -> Iterator[BadServer]:
    server = BadServer()
    try:
        yield server
    finally:
        server.close()


@dataclass(frozen=True)
class Target:
    process: Process
    server: BadServer

    def send(self, attack: Attack) -> Answer:
        body = attack.body() if callable(attack.body) else attack.body
        if isinstance(body, bytes):
            body = body.replace(b"{server}", f"http://{HERE}:{self.server.port}".encode())
        with watched(self.process) as seen:
            begun = time.monotonic()
            answer = exchange(self.process, attack, body)
            seconds = time.monotonic() - begun
        return Answer(*answer, seconds, max(seen) - seen[0])


def head_of(attack: Attack, port: int, length: int | None) -> bytes:
    headers = {"Host": f"127.0.0.1:{port}", "Connection": "close", **attack.headers}
    if length is not None:
        headers.setdefault("Content-Length", str(length))
    if attack.row.tenant:
        headers["Authorization"] = f"Bearer {KEYS[attack.row.tenant]}"
    lines = [f"{attack.row.method} {attack.path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode()


def exchange(target: Process, attack: Attack, body: Any) -> tuple[int, dict[str, str], bytes]:
    """Over a bare socket: no client would send some of this."""
    port = int(target.url.rpartition(":")[2])
    head = head_of(attack, port, len(body) if isinstance(body, bytes) else None)
    with socket.create_connection(("127.0.0.1", port), timeout=10) as sock:
        sending = threading.Thread(target=send_all, args=(sock, head, body))
        sending.start()
        answer = http.client.HTTPResponse(sock, method=attack.row.method)
        answer.begin()
        read = answer.read()
        with suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)
        sending.join()
    return answer.status, {name.lower(): value for name, value in answer.headers.items()}, read


def send_all(sock: socket.socket, head: bytes, body: Any) -> None:
    with suppress(OSError):  # they have heard enough and hung up
        sock.sendall(head)
        for piece in (body,) if isinstance(body, bytes) else body:
            sock.sendall(piece)


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    home = tmp_path_factory.mktemp("attacked")
    with bad_server() as server, LocalRedis(home / "valkey", appendfsync="no") as redis:
        settings = {
            "DARKROOM_API_KEYS": json.dumps(API_KEYS),
            "DARKROOM_ALLOWED_HOSTS": '["darkroom.example"]',
            "DARKROOM_VERIFY_PER_MINUTE": "60000",
            "DARKROOM_VERIFY_PER_MINUTE_AND_ADDRESS": "60000",
            "DARKROOM_OUTBOUND_ALLOW": f'["{HERE}/32"]',
            "DARKROOM_OUTBOUND_PORTS": f"[80, 443, 6379, {server.port}]",
        }
        with process(home, redis.url, settings) as running:
            found = Target(running, server)
            warm = next(attack for attack in attacks() if attack.name.startswith("A36") and "verify" in attack.name)
            found.send(warm)  # starts the process that looks at pictures
            yield found


@pytest.mark.slow
@pytest.mark.parametrize("attack", list(attacks()), ids=lambda attack: attack.name)
def test_an_attack_is_answered_as_its_row_says(target: Target, attack: Attack) -> None:
    answers = [target.send(attack)]
    while answers[-1].seconds > attack.row.seconds and len(answers) < TRIES:
        answers.append(target.send(attack))
    for answer in answers:
        assert answer.status in attack.status, answer.body[:300]
        assert answer.status < 400 or answer.code is not None, answer.body[:300]
        assert not attack.row.code or answer.code in attack.row.code
        assert answer.grown_kb <= attack.row.megabytes * MEBIBYTE
        assert len(answer.body) < 8192 or answer.status < 400
        assert b"canary" not in answer.body
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert min(answer.seconds for answer in answers) <= attack.row.seconds


@pytest.mark.slow
def test_the_gateway_is_well_after_all_of_them(target: Target) -> None:
    log = target.process.log.read_text()
    assert target.process.popen.poll() is None
    assert "Traceback" not in log
    assert "request.broke" not in log
    assert not any(key in log for key in KEYS.values())


def generation(**headers: str) -> Attack:
    row = rows()[0].model_copy(update={"id": "A50", "what": "a line"})
    return Attack("a line", row, (202,), headers={**JSON, **headers}, body=b'{"prompt":"canary\\r\\n{\\"level\\":1}"}')


@pytest.mark.slow
def test_every_line_of_the_log_is_one_of_ours(target: Target) -> None:
    evil = '{"event":"forged","level":"error"}'
    target.send(
        generation(**{"User-Agent": f"\x1b[2J{evil}", "Idempotency-Key": f"a{evil}\x1b[2J", "X-Forwarded-For": evil})
    )
    target.send(generation(Prefer=f"wait=0, {evil}"))
    lines = target.process.log.read_text().splitlines()
    for line in lines:
        assert {"event", "level", "logger", "service", "timestamp"} <= set(json.loads(line)), line
        assert "\x1b" not in line
    assert not any("forged" in line or "canary" in line for line in lines)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["half a million words", "13,000 squared"])
def test_others_are_served_while_the_worst_picture_is_read(target: Target, name: str) -> None:
    row = rows()[0]
    picture = Attack(name, row, (), ASSETS, PNG, PICTURES[name]())
    live = Attack("live", row.model_copy(update={"method": "GET"}), (200,), "/livez")
    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(target.send, picture)
        waits = []
        while not reading.done():
            waits.append(target.send(live).seconds)
    assert waits
    assert sorted(waits)[len(waits) // 2] < 0.25
    assert max(waits) < 1.0


@pytest.mark.slow
def test_what_a_picture_told_of_its_owner_is_gone_from_what_is_kept(target: Target, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif.get_ifd(0x8825)[2] = (52.0, 31.0, 12.0)  # where it was taken
    exif[0x010E] = "<script>canary</script>"
    path = tmp_path / "a.jpg"
    Image.new("RGB", (64, 32), "red").save(path, exif=exif, comment=b"<script>canary</script>")
    row = rows()[0]
    kept = json.loads(target.send(Attack("turned", row, (201,), ASSETS, PNG, path.read_bytes())).body)
    assert (kept["width"], kept["height"]) == (32, 64)
    shown = target.send(Attack("kept", row.model_copy(update={"method": "GET"}), (200,), f"{ASSETS}/{kept['id']}"))
    assert shown.status == 200
    assert b"canary" not in shown.body
    assert not {b"eXIf", b"tEXt", b"iTXt", b"zTXt"} & {shown.body[i : i + 4] for i in range(len(shown.body))}


def test_the_table_has_every_attack() -> None:
    assert {row.id for row in rows()} == {f"A{number}" for number in range(1, 57)}


@pytest.mark.parametrize("row", [row for row in rows() if row.checks], ids=lambda row: f"{row.id} {row.what}")
def test_a_check_that_a_row_names_is_there(row: Any) -> None:
    missing = [check for check in row.checks if not is_there(check)]
    assert not missing


def test_no_row_says_nothing() -> None:
    told = [attack.row for attack in attacks()]
    assert [row.what for row in rows() if not row.checks and row not in told] == []
    assert [attack.name for attack in attacks() if not attack.status] == []
