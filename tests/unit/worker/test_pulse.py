"""What a worker says of itself, and who may read it."""

import json
import os
import subprocess
import sys
from pathlib import Path

from pydantic import SecretStr

from darkroom.settings import Settings
from worker.exits import ORPHANED
from worker.heart import Heart
from worker.launch import Orders
from worker.main import probe
from worker.status import Pulse, StatusFile, read_statuses, run_folder


class Step:
    at = 12.5
    expected = 0.25


def test_a_heart_tells_its_state_and_how_the_running_step_stands() -> None:
    reader, writer = os.pipe()
    heart = Heart(writer)
    heart.say("loading", "waiting")
    heart.watch(lambda: Step())
    heart.say("ready")
    pulses = [Pulse.model_validate_json(line) for line in os.read(reader, 4096).splitlines()]
    os.close(reader)
    os.close(writer)
    assert pulses == [
        Pulse(state="loading", detail="waiting"),
        Pulse(state="ready", step_at=12.5, step_seconds=0.25),
    ]


def test_a_heart_that_nobody_hears_ends_its_process() -> None:
    script = "import os\nfrom worker.heart import Heart\nr, w = os.pipe()\nos.close(r)\nHeart(w).say('ready')"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == ORPHANED


def test_orders_survive_the_way_with_every_setting() -> None:
    settings = Settings(
        home=Path("/srv/darkroom"),
        redis_url=SecretStr("redis://:secret@127.0.0.1:1/0"),
        models={"sd15": Path("/models/sd15")},
        api_keys={"ab" * 32: "ann"},
        watermark_secret=SecretStr("00ff"),
        lease_seconds=3.5,
        controlnets={"mine": {"type": "canny", "path": Path("/models/canny")}},
        outbound_allow=("10.1.0.0/16",),
        watermark_old_secrets=("ab" * 16, {"secret": "cd" * 16, "last_epoch": 1}),
        webhook_secrets={"ann": [SecretStr("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]},
        crash_at="mid_step:3",
    )
    assert Orders.loads(Orders(settings, "w", 1, 2).dumps()) == Orders(settings, "w", 1, 2)


def test_a_status_is_read_while_its_supervisor_lives(tmp_path: Path) -> None:
    file = StatusFile(tmp_path)
    file.write("w", 99, Pulse(state="ready"))
    (status,) = read_statuses(tmp_path)
    assert (status.worker, status.state, status.child_pid, status.pid) == ("w", "ready", 99, os.getpid())
    file.remove()
    assert read_statuses(tmp_path) == []


def test_a_status_of_a_dead_supervisor_or_half_a_file_is_no_status(tmp_path: Path) -> None:
    file = StatusFile(tmp_path)
    file.write("w", 99, Pulse(state="ready"))
    dead = subprocess.Popen([sys.executable, "-S", "-E", "-c", ""])
    dead.wait()
    record = json.loads(file.path.read_text())
    file.path.write_text(json.dumps({**record, "pid": dead.pid}))
    (tmp_path / "worker-half.json").write_text(file.path.read_text()[:20])
    assert read_statuses(tmp_path) == []
    StatusFile(tmp_path)
    assert not file.path.exists(), "the next supervisor clears it away"


def test_a_probe_is_content_only_with_ready_workers(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    assert probe(settings) == 1
    file = StatusFile(run_folder(settings.home_folder))
    file.write("w", 99, Pulse(state="failed", detail="unet/x.safetensors: is not there"))
    assert probe(settings) == 1
    file.write("w", 99, Pulse(state="ready"))
    assert probe(settings) == 0
