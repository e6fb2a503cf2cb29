"""Settings -> store."""

import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from darkroom.errors import ConfigurationError
from darkroom.settings import Settings
from darkroom.storage import FolderStore, open_store
from darkroom.storage.s3 import S3Access


def test_the_folder_store_is_the_default_and_lies_in_home(tmp_path: Path) -> None:
    assert isinstance(open_store(Settings(home=tmp_path)), FolderStore)
    assert (tmp_path / "store").is_dir()


def test_no_process_can_be_told_to_keep_pictures_in_a_memory_that_the_others_do_not_see() -> None:
    with pytest.raises(ValidationError, match="store"):
        Settings(store="memory")


def test_s3_takes_the_internal_endpoint_for_the_public_one_when_unset() -> None:
    access = S3Access.from_settings(Settings(store="s3", s3_endpoint="http://s3.internal:9000"))
    assert access.public_endpoint == "http://s3.internal:9000"


@pytest.mark.parametrize("half", [{"s3_access_key": "AK"}, {"s3_secret_key": "SK"}])
def test_half_a_pair_of_keys_is_a_mistake(half: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError):
        S3Access.from_settings(Settings(store="s3", **half))


def test_access_does_not_print_its_secret() -> None:
    access = S3Access.from_settings(Settings(store="s3", s3_access_key="AK", s3_secret_key="canary"))
    assert "canary" not in repr(access)


@pytest.mark.slow
def test_a_folder_store_does_not_bring_boto3(tmp_path: Path) -> None:
    code = f"""
import sys
from pathlib import Path
from darkroom.settings import Settings
from darkroom.storage import open_store
open_store(Settings(home=Path({str(tmp_path)!r})))
assert not {{"boto3", "botocore"}} & set(sys.modules), "boto3 was imported"
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
