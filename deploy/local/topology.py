"""docker-compose.yml as plain processes of this machine: the same commands, variables and secrets, without containers.

python -m deploy.local.topology FOLDER [--worker 3] [--gateway 2]

FOLDER holds what `darkroom secrets` wrote. Names of services become ports of loopback, files that are mounted become
those of FOLDER. nginx stands in front where there is one. Ctrl-C stops it in the order in which Compose would.
"""

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from darkroom.ledger.server import find_server_binary, free_port
from darkroom.lifeline import before_exec
from deploy.local.compose import read_environment, read_services

ROOT = Path(__file__).parents[2]
NGINX = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
READY_SECONDS = 120.0
OURS = {"gateway": "api", "courier": "courier", "worker": "worker"}
# What a service says of itself in its image.
_IMAGE = {"courier": {"DARKROOM_COURIER_METRICS_PORT": "9102"}, "worker": {"DARKROOM_DEVICE": "cpu"}}


@dataclass
class Running:
    """One process. `replica` numbers those of a service."""

    service: str
    replica: int
    popen: "subprocess.Popen[bytes]"
    log: Path


@dataclass
class Topology:
    """All of it, below `folder`. `scale` is how many there are of a service; 1 of what it does not name."""

    folder: Path
    scale: Mapping[str, int] = field(default_factory=dict)
    running: list[Running] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.folder = self.folder.resolve()
        self.variables = read_environment(self.folder / ".env")
        self.services = read_services(ROOT / "docker-compose.yml", self.variables)
        self.redis, self.s3, self.front = free_port(), free_port(), free_port()
        self.gateways = [free_port() for _ in range(self.scale.get("gateway", 1))]

    @property
    def url(self) -> str:
        """Where callers come in."""
        return f"http://127.0.0.1:{self.front if NGINX else self.gateways[0]}"

    def start(self) -> None:
        """Returns when everything is ready. Raises: TimeoutError with the end of a log."""
        self.start_ledger()
        self._seaweedfs()
        for service in OURS:
            for replica in range(self.scale.get(service, 1)):
                self.start_one(service, replica)
        if NGINX:
            self._proxy()
        _wait(f"{self.url}/readyz", self._told)
        self.wait_for_workers()

    def stop(self) -> None:
        """Last to first."""
        for running in reversed(self.running):
            self.stop_one(running)

    def stop_one(self, running: Running) -> None:
        """As Compose does: SIGTERM, then SIGKILL when its grace is over."""
        running.popen.send_signal(signal.SIGTERM)
        grace = str(self.services[running.service].get("stop_grace_period", "10s"))
        try:
            running.popen.wait(1 if running.service == "seaweedfs" else float(grace.removesuffix("s")))
        except subprocess.TimeoutExpired:
            running.popen.kill()
            running.popen.wait()
        self.running.remove(running)

    def of(self, service: str) -> list[Running]:
        return [running for running in self.running if running.service == service]

    def start_one(self, service: str, replica: int) -> Running:
        """One of the processes that are ours."""
        home = self.folder / "homes" / f"{service}-{replica}"
        home.mkdir(parents=True, exist_ok=True)
        environment = {
            name: self._here(value)
            for name, value in (_IMAGE.get(service, {}) | self.services[service]["environment"]).items()
        }
        environment |= {"DARKROOM_HOME": str(home), "DARKROOM_HOST": "127.0.0.1", "DARKROOM_THREADS": "1"}
        environment.pop("DARKROOM_COURIER_METRICS_PORT", None)
        if service == "gateway":
            environment["DARKROOM_PORT"] = str(self.gateways[replica])
        command = [sys.executable, "-P", "-m", "darkroom", OURS[service]]
        return self._run(service, replica, command, environment)

    def _here(self, value: str) -> str:
        """A variable with what it names in containers replaced by where that is here."""
        places = {
            "@valkey:6379": f"@127.0.0.1:{self.redis}",
            "http://seaweedfs:8333": f"http://127.0.0.1:{self.s3}",
            "http://127.0.0.1:8333": f"http://127.0.0.1:{self.s3}",
            "/run/darkroom/": f"{self.folder}/deploy/compose/secrets/",
        }
        for there, here in places.items():
            value = value.replace(there, here)
        return value

    def start_ledger(self) -> None:
        data = self.folder / "deploy/compose/data/ledger"
        command = [self._here(str(word)) for word in self.services["valkey"]["command"]]
        command = [find_server_binary(), str(ROOT / "deploy/valkey.conf"), *command[2:], "--port", str(self.redis)]
        command = [{"*": "127.0.0.1", "/data": str(data)}.get(word, word) for word in command]
        self._run("valkey", 0, command, {})

    def _seaweedfs(self) -> None:
        data = self.folder / "deploy/compose/data/pictures"
        weed = Path(sys.executable).with_name("weed")
        changed = {"-dir": str(data), "-ip": "127.0.0.1", "-ip.bind": "127.0.0.1", "-s3.port": str(self.s3)}
        words = dict(str(word).partition("=")[::2] for word in self.services["seaweedfs"]["command"][1:])
        ports = [f"-{part}.port{kind}" for part in ("master", "volume", "filer", "admin") for kind in ("", ".grpc")]
        words |= changed | {name: str(free_port()) for name in (*ports, "-s3.port.grpc")}
        sockets = {f"-{part}.localSocket": f"{self.folder}/{part}.sock" for part in ("s3", "filer")}
        command = [str(weed), "mini", *(f"{name}={value}" for name, value in (words | sockets).items())]
        environment = {**self.services["seaweedfs"]["environment"], "HOME": str(self.folder)}
        self._run("seaweedfs", 0, command, environment)

    def _proxy(self) -> None:
        home = self.folder / "homes" / "proxy"
        for name in ("logs", "temp"):
            (home / name).mkdir(parents=True, exist_ok=True)
        servers = "\n".join(f"server 127.0.0.1:{port};" for port in self.gateways)
        (home / "gateways.conf").write_text(
            f"upstream gateways {{\n{servers}\nkeepalive 64;\nkeepalive_timeout 4s;\n}}\n"
        )
        (home / "listen.conf").write_text(f"listen 127.0.0.1:{self.front};\n")
        text = (ROOT / "deploy/proxy/nginx.conf").read_text()
        (home / "nginx.conf").write_text(re.sub(r"worker_(processes|rlimit_nofile|connections) \S+;", "", text))
        assert NGINX is not None
        alone = "daemon off; master_process off;"
        self._run("proxy", 0, [NGINX, "-p", str(home), "-c", "nginx.conf", "-e", "logs/error.log", "-g", alone], {})

    def _run(self, service: str, replica: int, command: Sequence[str], environment: Mapping[str, str]) -> Running:
        log = self.folder / f"{service}-{replica}.log"
        with log.open("ab") as output:
            popen = subprocess.Popen(  # noqa: S603 - commands of docker-compose.yml, no shell
                command,
                env={"PATH": os.environ["PATH"], "PYTHONPATH": os.environ.get("PYTHONPATH", ""), **environment},
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                preexec_fn=before_exec(os.getpid()),
            )
        running = Running(service, replica, popen, log)
        self.running.append(running)
        return running

    def wait_for_workers(self) -> None:
        """As their health check asks."""
        for running in self.of("worker"):
            home = self.folder / "homes" / f"worker-{running.replica}"
            probe = [sys.executable, "-P", "-m", "worker.main", "probe"]
            until = time.monotonic() + READY_SECONDS
            environment = {**os.environ, "DARKROOM_HOME": str(home)}
            while subprocess.run(probe, env=environment, capture_output=True).returncode:  # noqa: S603 - us
                if time.monotonic() > until:
                    raise TimeoutError(self._told())
                time.sleep(0.5)

    def _told(self) -> str:
        return "\n".join(f"{each.log.name}: {each.log.read_text(errors='replace')[-500:]}" for each in self.running)


def _wait(url: str, told: "object") -> None:
    until = time.monotonic() + READY_SECONDS
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(url, timeout=2):  # noqa: S310 - loopback
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise TimeoutError(told() if callable(told) else url)


@contextmanager
def started(folder: Path, **scale: int) -> Iterator[Topology]:
    topology = Topology(folder, scale)
    try:
        topology.start()
        yield topology
    finally:
        topology.stop()


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--worker", type=int, default=1)
    parser.add_argument("--gateway", type=int, default=1)
    asked = parser.parse_args(arguments)
    with started(asked.folder, worker=asked.worker, gateway=asked.gateway) as topology:
        print(f"ready     {topology.url}", flush=True)
        signal.sigwait({signal.SIGINT, signal.SIGTERM})


if __name__ == "__main__":
    main()
