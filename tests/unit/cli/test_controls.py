"""What `--control` and `--map` come to."""

from pathlib import Path
from typing import Any

import pytest
import typer

from darkroom.cli.controls import parse_controls

ID = "ab" * 32


def asked(*pictures: str, maps: tuple[str, ...] = ()) -> list[Any]:
    return [control.asked for control in parse_controls(pictures, maps)]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    path.write_bytes(b"photo")
    return path


def test_a_control_is_a_type_a_file_and_a_scale(file: Path) -> None:
    whole, half = asked(f"canny:{file}", f"depth:{file}:0.5")
    assert whole == {"type": "canny", "image": file, "scale": 1.0, "preprocess": True}
    assert half == {"type": "depth", "image": file, "scale": 0.5, "preprocess": True}


def test_an_asset_is_named_by_its_id_and_not_sent_again() -> None:
    whole, half = asked(f"canny:{ID}", f"canny:{ID}:0.5")
    assert (whole["image"], whole["scale"]) == (ID, 1.0)
    assert (half["image"], half["scale"]) == (ID, 0.5)


def test_a_ready_map_is_not_made_again_and_comes_after_the_pictures(file: Path) -> None:
    picture, ready = asked(f"canny:{file}", maps=(f"openpose:{ID}:0.7",))
    assert picture["preprocess"] is True
    assert ready == {"type": "openpose", "image": ID, "scale": 0.7, "preprocess": False}


def test_a_controlnet_is_named_behind_the_type(file: Path) -> None:
    (control,) = asked(f"canny/tiny-canny:{file}")
    assert (control["type"], control["model"]) == ("canny", "tiny-canny")


def test_a_colon_may_be_the_files_own(tmp_path: Path) -> None:
    (tmp_path / "a:0.5").write_bytes(b"odd")
    (whole, half) = asked(f"canny:{tmp_path}/a:0.5", f"canny:{tmp_path}/a:0.5:0.8")
    assert (whole["scale"], half["scale"]) == (1.0, 0.8)


@pytest.mark.parametrize("words", ["canny", "canny:", "canny:gone.png", f"canny:{ID[:-1]}", f"canny:{ID}:much"])
def test_what_is_no_control_is_wrong_usage(words: str) -> None:
    with pytest.raises(typer.BadParameter, match=words):
        asked(words)


@pytest.mark.parametrize("scale", ["nan", "inf", "-inf"])
def test_a_scale_that_json_cannot_say_is_wrong_usage(file: Path, scale: str) -> None:
    for arguments in ((f"canny:{file}:{scale}",), ()):
        with pytest.raises(typer.BadParameter, match="SCALE"):
            asked(*arguments, maps=() if arguments else (f"canny:{ID}:{scale}",))
