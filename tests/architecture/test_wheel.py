"""What is shipped: three packages with their data, and nothing else."""

import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[zipfile.ZipFile]:
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (path,) = folder.glob("*.whl")
    with zipfile.ZipFile(path) as opened:
        yield opened


def test_the_wheel_installs_three_packages(wheel: zipfile.ZipFile) -> None:
    tops = {name.partition("/")[0] for name in wheel.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"darkroom", "api", "worker"}


def test_the_wheel_brings_the_scripts_of_the_ledger(wheel: zipfile.ZipFile) -> None:
    assert_shipped(wheel, ROOT.glob("darkroom/**/*.lua"))


def test_the_wheel_brings_what_errors_mean(wheel: zipfile.ZipFile) -> None:
    assert_shipped(wheel, ROOT.glob("darkroom/errors/*.toml"))


def test_the_wheel_brings_what_prompts_are_searched_for(wheel: zipfile.ZipFile) -> None:
    assert_shipped(wheel, (path for path in (ROOT / "darkroom/safety").rglob("*") if path.suffix in {".json", ".txt"}))


def test_the_wheel_brings_the_embedded_model(wheel: zipfile.ZipFile) -> None:
    assert_shipped(wheel, (path for path in (ROOT / "worker/tiny/model").rglob("*") if path.is_file()))


def test_the_wheel_brings_the_page(wheel: zipfile.ZipFile) -> None:
    assert_shipped(wheel, (ROOT / "api/playground").iterdir())


def test_the_wheel_brings_the_loras_of_the_embedded_model(wheel: zipfile.ZipFile) -> None:
    loras = [path.relative_to(ROOT).as_posix() for path in (ROOT / "worker/tiny/loras").glob("*.safetensors")]
    assert set(loras) <= set(wheel.namelist())


def test_the_wheel_says_that_it_is_typed_and_how_it_is_licensed(wheel: zipfile.ZipFile) -> None:
    assert "darkroom/py.typed" in wheel.namelist()
    assert any(name.endswith("licenses/LICENSE") for name in wheel.namelist())


def test_the_wheel_gives_the_command(wheel: zipfile.ZipFile) -> None:
    (entry_points,) = (name for name in wheel.namelist() if name.endswith("entry_points.txt"))
    assert "darkroom = darkroom.cli:main" in wheel.read(entry_points).decode()


def assert_shipped(wheel: zipfile.ZipFile, paths: Iterator[Path]) -> None:
    wanted = {path.relative_to(ROOT).as_posix() for path in paths}
    assert wanted, "the repository has none of them"
    assert wanted <= set(wheel.namelist())
