"""A new secret for the watermark, and how it takes the place of another."""

import json
import re
from pathlib import Path

import pytest

from darkroom.cli.app import run
from darkroom.provenance.tss.ring import Epochs, KeyRing
from darkroom.services.keys import key_ring, watermark_secret
from darkroom.settings import Settings


def test_a_new_secret_is_alone_on_stdout_and_another_each_time(capsys: pytest.CaptureFixture[str]) -> None:
    made = []
    for _ in range(2):
        assert run(["watermark-key"]) == 0
        made.append(capsys.readouterr())
    assert made[0].out != made[1].out
    assert re.fullmatch(r"[0-9a-f]{64}\n", made[0].out)
    assert made[0].out.strip() not in made[0].err
    assert "DARKROOM_WATERMARK_SECRET" in made[0].err


def test_what_it_says_of_a_new_secret_is_what_the_settings_take(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    before, epoch = "ab" * 32, 3
    assert run(["watermark-key", "--after", str(epoch)]) == 0
    secret, steps = capsys.readouterr()
    old = json.loads(re.search(r"\{.*\}", steps)[0].replace("...", before))  # type: ignore[index]
    settings = Settings(
        home=tmp_path,
        watermark_secret=secret.strip(),
        watermark_epoch=int(re.search(r"DARKROOM_WATERMARK_EPOCH to (\d+)", steps)[1]),  # type: ignore[index]
        watermark_old_secrets=(old,),
    )
    ring = key_ring(settings, watermark_secret(settings))
    assert ring == KeyRing.of(bytes.fromhex(secret), epoch + 1, Epochs(bytes.fromhex(before), epoch))


@pytest.mark.parametrize("epoch", ["-1", "100", "x"])
def test_an_epoch_that_none_can_follow_is_refused(epoch: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["watermark-key", "--after", epoch]) == 2
    assert capsys.readouterr().out == ""
