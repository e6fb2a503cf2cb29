"""What the images are built from, told without building them: no container engine is at hand where this runs."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from deploy.image.lock import EXTRAS, page

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "Dockerfile"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def pinned(part: str) -> dict[str, str]:
    lines = (ROOT / "deploy" / "image" / f"{part}.txt").read_text().splitlines()
    return dict(line.split("==") for line in lines if not line.startswith("#"))


def asked_by(part: str) -> list[str]:
    """What the part asks for itself."""
    extras = (each for extra in EXTRAS[part] for each in PROJECT["optional-dependencies"][extra])
    return [*PROJECT["dependencies"], *extras]


def test_hadolint_finds_no_fault_with_the_dockerfile() -> None:
    program = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([program, "--no-color", DOCKERFILE], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("part", EXTRAS)
def test_the_pins_are_written_from_what_is_installed(part: str) -> None:
    """Which may be newer by now than when `python deploy/image/lock.py` wrote them: names alone are compared."""
    direct = {canonicalize_name(Requirement(text).name) for text in asked_by(part)}
    assert direct <= {line.partition("==")[0] for line in page(part).splitlines()}


@pytest.mark.parametrize("part", EXTRAS)
def test_every_requirement_of_a_part_has_a_pin_that_it_admits(part: str) -> None:
    pins = pinned(part)
    for text in asked_by(part):
        wanted = Requirement(text)
        assert wanted.specifier.contains(pins[canonicalize_name(wanted.name)]), text


@pytest.mark.parametrize("part", ["gateway", "courier"])
def test_neither_gateway_nor_courier_has_torch(part: str) -> None:
    assert not {"torch", "diffusers", "transformers", "peft", "onnxruntime"} & set(pinned(part))


def test_every_file_that_is_copied_is_let_into_the_build() -> None:
    admitted = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE.read_text(), re.MULTILINE)
    assert copied
    for name in " ".join(copied).split():
        assert (ROOT / name).exists(), name
        assert any(name == place or name.startswith(f"{place}/") for place in admitted), name


def test_nothing_secret_is_let_into_the_build() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    assert next(line for line in lines if not line.startswith("#")) == "*"
    assert not [line for line in lines if re.search(r"env|secrets|compose", line) and not line.startswith("#")]


def test_the_gateway_runs_on_its_pins_alone(tmp_path: Path) -> None:
    """As its image does: the wheel and what is pinned, in an environment that has nothing else."""
    environment = tmp_path / "environment"
    wheel = _wheel(tmp_path)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-deps"]
    pins = ROOT / "deploy" / "image" / "gateway.txt"
    subprocess.run([*pip, "--target", environment, "--requirement", pins, wheel], check=True, capture_output=True)
    code = "import api.app, api.serve, darkroom.cli.app, sys; assert not {'torch', 'diffusers'} & set(sys.modules)"
    alone = {"PYTHONPATH": str(environment), "PATH": "/usr/bin:/bin"}
    subprocess.run([sys.executable, "-P", "-S", "-c", code], check=True, env=alone, cwd=tmp_path)
    size = sum(path.stat().st_size for path in environment.rglob("*") if path.is_file()) // 2**20
    print(f"\ngateway: {size} MiB of packages")
    assert size < 500


def _wheel(folder: Path) -> Path:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--quiet", "--no-deps"]
    more = ["--no-build-isolation", "--wheel-dir", str(folder), str(ROOT)]
    subprocess.run([*command, *more], check=True, capture_output=True)
    (made,) = folder.glob("darkroom-*.whl")
    return made
