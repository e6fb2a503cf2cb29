"""A command that signs, or does not."""

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from darkroom.errors import ConfigurationError, SigningUnavailable
from darkroom.provenance.keyholders.answers import MOST_BYTES
from darkroom.provenance.keyholders.command import AT_ONCE, SigningCommand
from tests.until import until


def shell(script: str, seconds: float = 5.0, **more: object) -> SigningCommand:
    return SigningCommand(("/bin/sh", "-c", script), seconds, **more)  # type: ignore[arg-type]


def alive(group: int) -> list[str]:
    """Processes of this group. Those that are dead and that nobody has asked for do not count."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, _, leader = stat.read_text().rpartition(")")[2].split()[:3]
            if leader == str(group) and state != "Z":
                found.append(stat.parent.name)
    return found


def test_it_reads_what_is_to_be_signed_and_what_it_writes_is_the_answer() -> None:
    assert SigningCommand(("cat",)).sign(b"\0a claim\xff") == b"\0a claim\xff"


def test_a_large_claim_is_no_trouble_to_a_command_that_does_not_read() -> None:
    assert shell("echo signed").sign(bytes(1 << 20)) == b"signed\n"


def test_arguments_are_not_read_by_a_shell(tmp_path: Path) -> None:
    assert SigningCommand(("echo", f"; touch {tmp_path}/x; $HOME `id`")).sign(b"").endswith(b"$HOME `id`\n")
    assert list(tmp_path.iterdir()) == []


def test_it_sees_nothing_of_our_environment_but_what_it_was_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DARKROOM_WATERMARK_SECRET", "canary")
    monkeypatch.setenv("AWS_PROFILE", "signing")
    assert b"canary" not in shell("env").sign(b"")
    assert b"AWS_PROFILE" not in shell("env").sign(b"")
    seen = shell("env", passed=("AWS_PROFILE", "AWS_NEVER_SET")).sign(b"")
    assert b"AWS_PROFILE=signing\n" in seen
    assert b"PATH=" in seen
    assert b"NEVER" not in seen


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("exit 3", "ended with 3"),
        ("echo almost; exit 1", "ended with 1"),
        ("kill -9 $$", "ended with -9"),
        (f"head -c {MOST_BYTES + 1} /dev/zero", "more than 4096 bytes"),
        ("cat /dev/zero", "more than 4096 bytes"),
    ],
)
def test_a_command_that_fails_says_why(script: str, why: str) -> None:
    with pytest.raises(SigningUnavailable, match=why) as raised:
        shell(script).sign(b"a claim")
    assert raised.value.retryable


@pytest.mark.parametrize("script", ["sleep 30", "sleep 30 & exec >&-; wait", "while :; do echo x; sleep .05; done"])
async def test_a_command_that_hangs_is_killed_with_all_that_it_started(script: str, tmp_path: Path) -> None:
    began = time.monotonic()
    with pytest.raises(SigningUnavailable, match="too long"):
        shell(f"echo $$ >{tmp_path}/leader; {script}", seconds=0.2).sign(b"a claim")
    assert time.monotonic() - began < 10
    leader = int((tmp_path / "leader").read_text())
    await until(lambda: alive(leader) == [])


def test_what_a_command_that_ended_well_left_behind_does_not_hold_up_the_answer_for_ever() -> None:
    with pytest.raises(SigningUnavailable, match="too long"):
        shell("echo signed; sleep 3 &", seconds=0.2).sign(b"a claim")


def test_a_program_that_is_not_there_is_found_at_start() -> None:
    command = SigningCommand(("darkroom-no-such-program",))
    with pytest.raises(ConfigurationError, match="DARKROOM_SIGNING_COMMAND"):
        command.check()
    with pytest.raises(SigningUnavailable, match="cannot be run"):
        command.sign(b"a claim")


@pytest.mark.slow
async def test_pictures_are_signed_side_by_side_and_never_by_more_processes_than_set(tmp_path: Path) -> None:
    script = (
        "import os, pathlib, sys, time; at = pathlib.Path(sys.argv[1]) / str(os.getpid()); at.touch();"
        " print(len(list(at.parent.iterdir()))); time.sleep(.3); at.unlink()"
    )
    command = SigningCommand((sys.executable, "-S", "-c", script, str(tmp_path)), seconds=20.0)
    with ThreadPoolExecutor(3 * AT_ONCE) as pool:
        beside = [int(answer) for answer in pool.map(command.sign, [b"a claim"] * 3 * AT_ONCE)]
    assert 1 < max(beside) <= AT_ONCE
    await until(lambda: list(tmp_path.iterdir()) == [])


def test_who_waits_too_long_for_the_others_is_told_so() -> None:
    command = shell("sleep 30", seconds=0.1)
    for _ in range(AT_ONCE):
        command._slots.acquire()
    with pytest.raises(SigningUnavailable, match="busy"):
        command.sign(b"a claim")
