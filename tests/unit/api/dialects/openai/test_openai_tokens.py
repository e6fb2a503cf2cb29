"""Tokens, counted as the model's own encoder will."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from api.dialects.openai.tokens import count, tokens_of
from darkroom.catalog import Catalog
from darkroom.contract.model import ModelSpec
from darkroom.services import Services
from tests.fakes import fake_catalog
from tests.gateway import ask, client_of, finish_one

TEXTS = ("a red circle", "A  Red\nCIRCLE, it's 42!", "naïve 日本 😀", "")


def spec_at(path: Path, **changes: str) -> ModelSpec:
    return fake_catalog().spec("tiny").model_copy(update={"path": str(path), **changes})


def in_two_files(folder: Path) -> Path:
    """The embedded model's tokenizer as older checkpoints bring theirs."""
    whole = json.loads((Path(fake_catalog().spec("tiny").path) / "tokenizer" / "tokenizer.json").read_text())["model"]
    folder.mkdir()
    (folder / "vocab.json").write_text(json.dumps(whole["vocab"]))
    merges = [pair if isinstance(pair, str) else " ".join(pair) for pair in whole["merges"]]
    (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *merges]))
    return folder


def test_marks_of_emphasis_are_no_words() -> None:
    spec = fake_catalog().spec("tiny")
    plain = count(spec, ("a red circle",))
    assert plain == 3
    assert count(spec, ("a (red:1.3) [circle]",)) == plain
    assert count(spec, ("a red circle", "blue")) == plain + 1


def test_more_than_one_window_is_counted() -> None:
    assert count(fake_catalog().spec("tiny"), ("red " * 500,)) == 500


@pytest.mark.parametrize("text", TEXTS)
def test_two_files_are_counted_as_one(tmp_path: Path, text: str) -> None:
    in_two_files(tmp_path / "tokenizer")
    assert count(spec_at(tmp_path), (text,)) == count(fake_catalog().spec("tiny"), (text,))


def test_a_single_file_is_counted_by_the_tokenizer_it_was_given(tmp_path: Path) -> None:
    folder = in_two_files(tmp_path / "given")
    assert (
        count(spec_at(tmp_path / "x.safetensors", layout="single_file", tokenizer=str(folder)), ("a red circle",)) == 3
    )


@pytest.mark.slow
@pytest.mark.parametrize("text", TEXTS)
def test_they_are_those_that_transformers_makes(tmp_path: Path, text: str) -> None:
    from transformers import CLIPTokenizer

    folder = in_two_files(tmp_path / "tokenizer")
    made = CLIPTokenizer.from_pretrained(folder)(text, add_special_tokens=False).input_ids
    assert count(spec_at(tmp_path), (text,)) == len(made)


@pytest.mark.parametrize("content", [None, "{}", "not JSON"])
def test_without_a_tokenizer_that_can_be_read_none_are_counted(tmp_path: Path, content: str | None) -> None:
    (tmp_path / "tokenizer").mkdir()
    if content is not None:
        (tmp_path / "tokenizer" / "tokenizer.json").write_text(content)
    assert count(spec_at(tmp_path), ("a red circle",)) == 0


async def test_pictures_of_a_model_that_is_gone_are_answered_all_the_same(services: Services) -> None:
    async with client_of(services) as client:
        await ask(client, prompt="a red circle")
        job = await finish_one(services)
    assert (await tokens_of(services, job)).text == 3
    renamed = fake_catalog().spec("tiny").model_copy(update={"name": "other"})
    assert (await tokens_of(replace(services, catalog=Catalog([renamed], default="other")), job)).text == 0
