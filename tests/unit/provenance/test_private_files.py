"""Who may read a file that holds a secret."""

import os
from pathlib import Path

import pytest

from darkroom.errors import ConfigurationError
from darkroom.provenance.private_files import read_private

ROOT, US = 0, 10001


@pytest.mark.parametrize(
    ("owner", "we", "mode", "taken"),
    [
        (US, US, 0o600, True),
        (US, US, 0o400, True),
        (US, US, 0o640, False),
        (US, US, 0o604, False),
        (ROOT, ROOT, 0o600, True),
        (ROOT, ROOT, 0o640, False),
        (ROOT, US, 0o440, True),
        (ROOT, US, 0o640, True),
        (ROOT, US, 0o444, False),
        (ROOT, US, 0o460, False),
        (ROOT, US, 0o450, False),
    ],
)
def test_a_secret_is_its_owners_and_roots_may_be_our_groups(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, owner: int, we: int, mode: int, taken: bool
) -> None:
    path = tmp_path / "signing.key"
    path.write_bytes(b"secret")
    real = path.stat()
    told = os.stat_result((0o100000 | mode, *real[1:4], owner, *real[5:]))
    monkeypatch.setattr(Path, "stat", lambda _: told)
    monkeypatch.setattr(os, "geteuid", lambda: we)
    if taken:
        assert read_private(path) == b"secret"
    else:
        with pytest.raises(ConfigurationError, match="read by others"):
            read_private(path)
