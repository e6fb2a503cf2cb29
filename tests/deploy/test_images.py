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
from deploy.image.trim import NEVER_OPENED, trim, unused

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "Dockerfile"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

USES = """
import asyncio, io, sys
from pathlib import Path
import api.app, api.serve, darkroom.cli.app
from PIL import Image
from api.dialects.openai.tokenizer import opened
from darkroom.provenance.development_pki import passing_identity
from darkroom.provenance.signing import CredentialSigner
from darkroom.services import build_gateway_services
from darkroom.settings import Settings
from darkroom.storage import open_store

async def use():
    s3 = Settings(store="s3", s3_endpoint="http://127.0.0.1:1", s3_access_key="a", s3_secret_key="b")
    await open_store(s3).close()
    CredentialSigner(passing_identity()).check()
    picture = io.BytesIO()
    Image.effect_noise((512, 512), 40).convert("RGB").save(picture, "PNG")
    assert opened(Path(darkroom.__file__).parents[1] / "worker/tiny/model/tokenizer").encode("a blue star").tokens
    services = build_gateway_services(Settings())
    assert (await services.verifier.verify(picture.getvalue())).state == "no_evidence"
    await services.close()

asyncio.run(use())
assert not {"torch", "diffusers", "huggingface_hub"} & set(sys.modules)
"""


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


def test_a_gateway_has_nothing_to_fetch_models_with() -> None:
    """27 MiB that tokenizers ask for, and only import to fetch some."""
    assert not {"huggingface-hub", "hf-xet", "fsspec"} & set(pinned("gateway"))
    assert {"huggingface-hub", "hf-xet"} <= set(pinned("worker")), "`darkroom pull` is a worker's"


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


def test_whoever_an_image_is_run_as_may_stand_where_it_starts() -> None:
    """`docker run --user` is how an installation begins, and `python -m` imports from where it stands."""
    assert re.findall(r"^WORKDIR (.+)$", DOCKERFILE.read_text(), re.MULTILINE)[-1] == "/"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What its image holds: the wheel and what is pinned, without what nobody opens."""
    folder = tmp_path_factory.mktemp("gateway")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-deps"]
    pins = ROOT / "deploy" / "image" / "gateway.txt"
    asked = [*pip, "--target", folder / "in", "--requirement", pins, _wheel(folder)]
    subprocess.run(asked, check=True, capture_output=True)
    assert trim(folder / "in") > 40 * 2**20
    return folder / "in"


def test_the_gateway_runs_on_its_pins_alone(gateway: Path, tmp_path: Path) -> None:
    """As its image does: it makes the store's client, marks, signs and reads all that back, without torch."""
    alone = {"PYTHONPATH": str(gateway), "PATH": "/usr/bin:/bin", "DARKROOM_HOME": str(tmp_path)}
    subprocess.run([sys.executable, "-P", "-S", "-c", USES], check=True, env=alone, cwd=tmp_path)


def test_the_gateways_packages_are_no_larger_than_is_said(gateway: Path) -> None:
    size = sum(path.stat().st_size for path in gateway.rglob("*") if path.is_file()) // 2**20
    print(f"\ngateway: {size} MiB of packages")
    assert size < 390


def test_what_is_taken_away_is_there_to_begin_with_and_no_licence(tmp_path: Path) -> None:
    """A pattern that finds nothing any more is to be looked at again."""
    places = [Path(place) for place in sys.path if place.endswith("site-packages")]
    for pattern in NEVER_OPENED:
        assert any(list(place.glob(pattern)) for place in places), pattern
    taken = [path for place in places for path in unused(place)]
    assert taken
    names = [path.name.lower() for path in taken if "botocore" not in path.parts]
    assert not [name for name in names if "licen" in name or name.endswith(".dist-info")]


def _wheel(folder: Path) -> Path:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--quiet", "--no-deps"]
    more = ["--no-build-isolation", "--wheel-dir", str(folder), str(ROOT)]
    subprocess.run([*command, *more], check=True, capture_output=True)
    (made,) = folder.glob("darkroom-*.whl")
    return made
