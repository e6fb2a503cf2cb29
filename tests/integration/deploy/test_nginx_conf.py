"""The configuration we hand to operators, in a real nginx before a real gateway: ports and patience are changed."""

import re
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from api.dialects.mount import SURFACES
from darkroom.ledger.server import free_port
from darkroom.settings import Settings
from tests.fakes import fake_services
from tests.gateway import GENERATIONS, problem_in, served

CONFIGURATION = Path(__file__).parents[3] / "deploy" / "proxy"
FILES = ("nginx.conf", "gateways.conf", "listen.conf")
NGINX = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")

CERTIFICATE = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-days", "1"]
HALVES = [
    b"G",
    b"GET /livez HT",
    b"POST /api/v1/generations HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{",
]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timed,
    pytest.mark.skipif(NGINX is None, reason="deploy/proxy/nginx.conf IS NOT TESTED HERE: there is no nginx"),
]


class Proxy:
    """nginx in a folder of its own. `replaced` are lines of the configuration changed for a test."""

    def __init__(self, folder: Path, upstream: int, **replaced: str) -> None:
        self.folder, self.port = folder, free_port()
        texts = {name: (CONFIGURATION / name).read_text() for name in FILES}
        changes = {
            "listen 443 ssl;": f"listen 127.0.0.1:{self.port} ssl;",
            "server 127.0.0.1:8000;": f"server 127.0.0.1:{upstream};",
            "worker_processes auto;": "worker_processes 1; daemon off; master_process off;",
            "worker_rlimit_nofile 16384;": "",
            "worker_connections 8192;": "worker_connections 512;",
            "client_header_timeout 10s;": "client_header_timeout 1s;",
            "client_body_timeout 10s;": "client_body_timeout 1s;",
            **replaced,
        }
        for line, other in changes.items():
            assert "".join(texts.values()).count(line) == 1, line
            texts = {name: text.replace(line, other) for name, text in texts.items()}
        for name in ("tls", "logs", "temp"):
            (folder / name).mkdir(parents=True)
        self.text = texts["nginx.conf"]
        for name, text in texts.items():
            (folder / name).write_text(text)
        subprocess.run(
            [*CERTIFICATE, "-keyout", folder / "tls/key.pem", "-out", folder / "tls/certificate.pem"],
            check=True,
            capture_output=True,
        )

    def command(self, *more: str) -> list[str]:
        assert NGINX is not None
        return [NGINX, "-p", str(self.folder), "-c", "nginx.conf", "-e", "logs/error.log", *more]

    def checked(self) -> str:
        done = subprocess.run(self.command("-t"), capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stderr

    def start(self) -> "subprocess.Popen[bytes]":
        process = subprocess.Popen(self.command())
        until = time.monotonic() + 10
        while time.monotonic() < until:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return process
            except OSError:
                time.sleep(0.02)
        raise AssertionError((self.folder / "logs/error.log").read_text())

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=f"https://127.0.0.1:{self.port}", verify=False, trust_env=False, timeout=10)

    def connection(self) -> ssl.SSLSocket:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return context.wrap_socket(socket.create_connection(("127.0.0.1", self.port), timeout=5))


def ended(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    process.wait(10)


@pytest.fixture
def proxy(tmp_path: Path) -> Iterator[Proxy]:
    with served(fake_services()) as (_, port):
        made = Proxy(tmp_path / "nginx", port)
        process = made.start()
        yield made
        ended(process)


def test_nginx_finds_no_fault_with_it(tmp_path: Path) -> None:
    said = Proxy(tmp_path / "nginx", 8000).checked()
    assert "warn" not in said.replace('warn" directive', "")


def test_requests_refusals_and_limits_come_through(proxy: Proxy) -> None:
    with proxy.client() as client:
        assert client.get("/livez").json() == {"alive": True}
        assert client.get("/metrics").status_code == 404
        made = client.post(GENERATIONS, json={"prompt": "a"})
        assert made.status_code == 202
        assert made.json()["links"]["self"].startswith(f"http://127.0.0.1:{proxy.port}/"), "until PUBLIC_URL says https"
        large = client.post("/api/v1/assets", content=b"x" * (65 * 1024 * 1024))
        assert (large.status_code, problem_in(large)["code"]) == (413, "payload_too_large")
        wrong = client.post(GENERATIONS, json={"prompt": 1})
        assert (wrong.status_code, problem_in(wrong)["code"]) == (422, "invalid_field")


def test_events_leave_as_they_come(proxy: Proxy) -> None:
    with proxy.client() as client:
        job = client.post(GENERATIONS, json={"prompt": "a"}).json()
        began = time.monotonic()
        with client.stream("GET", f"{GENERATIONS}/{job['id']}/events") as stream:
            assert next(stream.iter_lines())
            assert time.monotonic() - began < 2, "the stream has not ended, and its first event is here"


def test_a_dialect_may_take_its_time(proxy: Proxy) -> None:
    """Longer than others: the gateway itself gives up after `compat_wait`."""
    spoken = re.search(r"location ~ (\S+) \{[^}]*?_timeout (\d+)s;   # above DARKROOM_COMPAT_WAIT", proxy.text)
    assert spoken is not None
    prefixes = [prefix for surface in SURFACES.values() for prefix in surface.prefixes]
    assert [path for path in (*prefixes, "/hf/models/tiny") if not re.match(spoken[1], path)] == []
    assert not re.match(spoken[1], "/v11")
    assert not re.match(spoken[1], "/api/v1/generations")
    assert int(spoken[2]) > Settings().compat_wait


def test_many_slow_callers_are_ended_and_keep_nobody_out(proxy: Proxy) -> None:
    with ExitStack() as stack, proxy.client() as client:
        crowd = [stack.enter_context(proxy.connection()) for _ in range(60)]
        for number, sock in enumerate(crowd):
            sock.sendall(HALVES[number % 3])
        for _ in range(20):
            began = time.monotonic()
            assert client.get("/livez").status_code == 200
            assert time.monotonic() - began < 1
        until = time.monotonic() + 5
        for sock in crowd:
            sock.settimeout(max(0.1, until - time.monotonic()))
            assert ends(sock)


def ends(sock: ssl.SSLSocket) -> bool:
    try:
        while sock.recv(65536):
            pass
    except TimeoutError:
        return False
    except OSError:
        pass
    return True


def test_one_address_has_so_many_requests_open_and_no_more(proxy: Proxy) -> None:
    with ExitStack() as stack, proxy.client() as client:
        job = client.post(GENERATIONS, json={"prompt": "a"}).json()
        request = f"GET {GENERATIONS}/{job['id']}/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
        for _ in range(64):
            sock = stack.enter_context(proxy.connection())
            sock.sendall(request)
            assert sock.recv(65536).startswith(b"HTTP/1.1 200")
        refused = client.get("/livez")
        assert (refused.status_code, problem_in(refused)["code"]) == (429, "rate_limited")
        assert int(refused.headers["Retry-After"]) >= 1


def test_a_gateway_that_is_away_is_a_problem_with_a_time_to_come_back(tmp_path: Path) -> None:
    proxy = Proxy(tmp_path / "nginx", free_port())
    process = proxy.start()
    try:
        with proxy.client() as client:
            answer = client.get("/api/v1/models")
            assert (answer.status_code, problem_in(answer)["code"]) == (503, "not_ready")
            assert int(answer.headers["Retry-After"]) >= 1
    finally:
        ended(process)


def test_a_thousand_forged_addresses_are_one_address(tmp_path: Path) -> None:
    """What the gateway is told is what nginx saw, and the limit counts the same."""
    with told() as (port, seen):
        proxy = Proxy(tmp_path / "nginx", port)
        process = proxy.start()
        try:
            with proxy.client() as client:
                forged = {"X-Real-IP": "8.8.8.8", "Forwarded": "for=8.8.8.8", "X-Forwarded-Host": "evil.example"}
                statuses = [
                    client.get("/", headers={**forged, "X-Forwarded-For": f"10.0.{n // 250}.{n % 250}"}).status_code
                    for n in range(1000)
                ]
        finally:
            ended(process)
    assert statuses.count(429) > 0, "the rate of one address was exceeded"
    assert {headers["X-Forwarded-For"] for headers in seen} == {"127.0.0.1"}
    assert not {"X-Real-Ip", "Forwarded", "X-Forwarded-Host"} & {name.title() for headers in seen for name in headers}


class told:
    """An upstream that notes the headers it gets."""

    def __init__(self) -> None:
        self.seen: list[dict[str, str]] = []

    def __enter__(self) -> tuple[int, list[dict[str, str]]]:
        seen = self.seen

        class Noting(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                seen.append(dict(self.headers.items()))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Noting)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        return self._server.server_address[1], seen

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)
