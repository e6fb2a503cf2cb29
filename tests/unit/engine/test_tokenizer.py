"""CLIP's tokenizer from the file of merges that OpenAI published."""

import gzip
from pathlib import Path

import pytest
from transformers import CLIPTokenizer

from darkroom.catalog import embedded_model_folder
from darkroom.errors import BrokenWeights, MissingWeights
from worker.models.tokenizer import merged, open_tokenizer

ENCODER = {"max_position_embeddings": 77, "vocab_size": 49408}


@pytest.fixture
def merges(tmp_path: Path) -> Path:
    """A file of three merges, in the format of the whole."""
    file = tmp_path / "merges.txt.gz"
    file.write_bytes(gzip.compress("#version: 0.2\nr e\nre d</w>\nÃ ¥".encode()))
    return file


def test_tokens_are_counted_as_clip_counts_them(merges: Path) -> None:
    tokens, pairs = merged(merges)

    assert pairs == [("r", "e"), ("re", "d</w>"), ("Ã", "¥")]
    # Known of CLIP: bytes from "!" on, then the same at the end of a word, then merges, then start and end.
    assert (tokens["!"], tokens["!</w>"], tokens["a</w>"]) == (0, 256, 320)
    assert (tokens["re"], tokens["red</w>"], len(tokens)) == (512, 513, 517)
    assert (tokens["<|startoftext|>"], tokens["<|endoftext|>"]) == (515, 516)


def test_words_become_tokens_by_the_merges(merges: Path) -> None:
    tokenizer = open_tokenizer(merges, ENCODER, open_clip=False)

    assert tokenizer("Red a!").input_ids == [515, 513, 320, 256, 516]
    assert (tokenizer.model_max_length, tokenizer.pad_token_id) == (77, 516)


def test_encoders_of_open_clip_are_padded_with_another_token(merges: Path) -> None:
    assert open_tokenizer(merges, ENCODER, open_clip=True).pad_token_id == 0


def test_a_folder_is_read_as_it_is_for_checkpoints_in_folders() -> None:
    folder = embedded_model_folder() / "tokenizer"
    ours = open_tokenizer(folder, ENCODER, open_clip=False)
    theirs = CLIPTokenizer.from_pretrained(folder)
    assert ours("a red circle").input_ids == theirs("a red circle").input_ids


def test_what_is_no_tokenizer_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingWeights, match="gone"):
        open_tokenizer(tmp_path / "gone", ENCODER, open_clip=False)
    torn = tmp_path / "torn.txt.gz"
    torn.write_bytes(gzip.compress(b"#version\na b c\n"))
    with pytest.raises(BrokenWeights) as raised:
        open_tokenizer(torn, ENCODER, open_clip=False)
    assert raised.value.path == "torn.txt.gz"
