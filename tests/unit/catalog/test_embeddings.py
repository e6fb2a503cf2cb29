"""Textual inversions are known from their headers, and found by their names."""

from pathlib import Path
from typing import Any

import pytest

from darkroom.catalog.digests import DigestCache
from darkroom.catalog.embeddings import Embeddings, read_embedding, read_embeddings
from darkroom.catalog.registry import open_catalog
from darkroom.contract.embedding import EmbeddingSpec
from darkroom.errors import BrokenWeights, ConfigurationError, MissingWeights
from darkroom.settings import Settings
from tests.unit.catalog.conftest import safetensors, tensor
from tests.unit.planner.test_plan import SPEC

XL = SPEC.model_copy(update={"name": "large", "text_widths": (768, 1280)})


def written(folder: Path, shapes: dict[str, list[int]], name: str = "style.safetensors", **kind: Any) -> Path:
    header, end = {}, 0
    for key, shape in shapes.items():
        header[key] = tensor(shape, end, **kind)
        end = header[key]["data_offsets"][1]
    path = folder / name
    path.write_bytes(safetensors(header, b"\0" * end))
    return path


def read(path: Path) -> EmbeddingSpec:
    return read_embedding("style", path, [SPEC, XL], DigestCache().sha256)


@pytest.mark.parametrize(
    ("shapes", "vectors", "widths", "models"),
    [
        ({"emb_params": [4, 768]}, 4, (768,), ("portrait",)),
        ({"<style>": [768]}, 1, (768,), ("portrait",)),
        ({"clip_l": [2, 768], "clip_g": [2, 1280]}, 2, (768, 1280), ("large",)),
        ({"emb_params": [3, 1024]}, 3, (1024,), ()),
    ],
)
def test_each_convention_says_how_many_vectors_and_for_which_models(
    tmp_path: Path, shapes: dict[str, list[int]], vectors: int, widths: tuple[int, ...], models: tuple[str, ...]
) -> None:
    spec = read(written(tmp_path, shapes))

    assert (spec.vectors, spec.widths, spec.models) == (vectors, widths, models)


@pytest.mark.parametrize(
    ("shapes", "reason"),
    [
        ({"clip_l": [2, 768]} | {"clip_h": [2, 1280]}, "neither one tensor nor"),
        ({"clip_l": [2, 768], "clip_g": [3, 1280]}, "other numbers of vectors"),
        ({"a": [1, 768], "b": [1, 768], "c": [1, 768]}, "neither one tensor nor"),
        ({"emb_params": [76, 768]}, "76 vectors"),
        ({"emb_params": [0, 768]}, "0 vectors"),
        ({"emb_params": [1, 2, 768]}, "no rows"),
        ({"emb_params": []}, "no rows"),
    ],
)
def test_what_is_no_embedding_is_refused_by_file(tmp_path: Path, shapes: dict[str, list[int]], reason: str) -> None:
    with pytest.raises(BrokenWeights, match=reason) as raised:
        read(written(tmp_path, shapes))
    assert raised.value.path == "style.safetensors"


def test_whole_numbers_are_no_embedding(tmp_path: Path) -> None:
    with pytest.raises(BrokenWeights, match="no rows"):
        read(written(tmp_path, {"emb_params": [1, 768]}, dtype="I32"))


def test_pickled_files_are_never_opened(tmp_path: Path) -> None:
    (tmp_path / "style.pt").write_bytes(b"\x80\x02")

    with pytest.raises(BrokenWeights, match="safetensors"):
        read(tmp_path / "style.pt")
    with pytest.raises(MissingWeights):
        read(tmp_path / "gone.safetensors")


def test_a_broken_one_does_not_take_the_others_down(tmp_path: Path) -> None:
    files = {"good": written(tmp_path, {"x": [1, 768]}), "bad": tmp_path / "bad.pt"}

    known = read_embeddings(files, [SPEC], DigestCache().sha256)

    assert [spec.name for spec in known.specs()] == ["good"]
    assert [entry.name for entry in known.unavailable()] == ["bad"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a neon-glow street", ["neon-glow"]),
        ("(NEON-Glow:1.3), night", ["neon-glow"]),
        ("neon-glows", []),
        ("my_neon-glow", []),
        ("v1.5 and neon-glow", ["neon-glow", "v1.5"]),
        ("v1x5", []),
    ],
)
def test_a_name_is_found_where_it_is_a_word(tmp_path: Path, text: str, found: list[str]) -> None:
    file = written(tmp_path, {"x": [1, 768]})
    known = read_embeddings({"neon-glow": file, "v1.5": file}, [SPEC], DigestCache().sha256)

    assert list(known.named_in(text)) == found
    assert list(Embeddings().named_in(text)) == []


def test_the_longer_name_is_meant_where_one_begins_another(tmp_path: Path) -> None:
    file = written(tmp_path, {"x": [1, 768]})
    names = ("bad", "bad-hands", "bad-hands.v2", "hands")
    known = read_embeddings(dict.fromkeys(names, file), [SPEC], DigestCache().sha256)

    assert known.named_in("a bad-hands.v2 thing") == ("bad-hands.v2",)
    assert known.named_in("bad, bad-hands") == ("bad", "bad-hands")


def test_a_name_nobody_could_write_is_a_wrong_setting(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="embeddings"):
        open_catalog(Settings(home=tmp_path, embeddings={"two words": tmp_path / "x.safetensors"}))
