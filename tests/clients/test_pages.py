"""Pages, followed word for word: every block that can be typed is, unless it says why not."""

from pathlib import Path

import httpx
import pytest
from PIL import Image

from tests.clients.flavours import Running
from tests.clients.typed_in import reading
from tests.docs.pages import ROOT, Block, blocks, pages

TYPED = {"sh", "python", "js"}
# Its shell has answers to compare as well: `tests/docs/test_readme.py` types that.
README = "README.md"


def typed_blocks(path: Path) -> list[Block]:
    name = path.relative_to(ROOT).as_posix()
    languages = TYPED - {"sh"} if name == README else TYPED
    return [block for block in blocks(name) if block.language in languages and not block.why_not_run]


PAGES = [path for path in pages() if typed_blocks(path)]


@pytest.fixture(scope="session")
def pictures(service: Running, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a reader has at hand: a picture from here, the same without its credential, and two more."""
    folder = tmp_path_factory.mktemp("pictures")
    asked = {"prompt": "a green heart on a black background", "seed": 7}
    answer = httpx.post(f"{service.url}/api/v1/generations", json=asked, headers={"Prefer": "wait=60"}, timeout=90)
    heart = folder / "heart.png"
    heart.write_bytes(httpx.get(answer.json()["images"][0]["url"]).content)
    with Image.open(heart) as picture:
        plain = picture.convert("RGB")
    plain.save(folder / "stripped.jpg", quality=75)
    plain.save(folder / "photo.jpg", quality=90)
    plain.save(folder / "drawing.png")
    return folder


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_what_a_page_tells_to_type_works(path: Path, service: Running, pictures: Path, tmp_path: Path) -> None:
    for file in pictures.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    with reading(tmp_path, service) as reader:
        for block in typed_blocks(path):
            reader.type_in(block)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("sh", "false\n"),
        ("sh", "curl -s http://127.0.0.1:8000/nowhere | cat\n"),
        ("sh", "DARKROOM_PORT=many\n"),
        ("python", "assert False\n"),
        ("js", "throw new Error('no')\n"),
    ],
)
def test_a_block_that_fails_is_noticed(language: str, text: str, service: Running, tmp_path: Path) -> None:
    with reading(tmp_path, service) as reader, pytest.raises(AssertionError):
        reader.type_in(Block(language, text))


def test_blocks_of_python_share_their_names(service: Running, tmp_path: Path) -> None:
    with reading(tmp_path, service) as reader:
        reader.type_in(Block("python", "import os\nfound = os.environ['DARKROOM_URL']\n"))
        reader.type_in(Block("python", f"assert found == {service.url!r}\n"))
