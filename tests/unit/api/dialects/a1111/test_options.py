"""Options: what is kept of what callers send, and what they are told."""

import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.dialects.a1111.options import OPTIONS, changes, shown
from api.dialects.remarks import Remarks
from darkroom.catalog import Catalog, Unavailable
from darkroom.contract.model import ModelSpec
from darkroom.errors import BrokenWeights, InvalidField, UnknownModel, UnknownVae
from darkroom.ledger.preferences import MOST_VALUE_CHARS, written
from tests.fakes import fake_catalog

LETTERS = f"{string.printable}\0é猫🐈\u202e"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(LETTERS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(LETTERS), inner, max_size=3),
    max_leaves=6,
)


def model(name: str, letter: str) -> ModelSpec:
    return fake_catalog().spec("tiny").model_copy(update={"name": name, "weights": {"w": letter * 64}})


CATALOG = Catalog([model("one", "a"), model("two", "b")], default="one")
ONE, TWO = "one.safetensors [aaaaaaaaaa]", "two.safetensors [bbbbbbbbbb]"


def changed(body: dict[str, Any], before: dict[str, Any] | None = None) -> tuple[dict[str, Any], list[str]]:
    """What is kept, and which fields were remarked."""
    remarks = Remarks()
    kept = changes(CATALOG, before or {}, body, remarks)
    return kept, [notice.field for notice in remarks.notices]


def test_who_set_nothing_is_shown_the_service_as_it_is() -> None:
    told = shown(CATALOG, {})
    assert told["sd_model_checkpoint"] == ONE
    assert told["sd_checkpoint_hash"] == "a" * 64
    assert (told["sd_vae"], told["CLIP_stop_at_last_layers"], told["samples_format"]) == ("Automatic", 1, "png")


@pytest.mark.parametrize("said", [TWO, "two", "TWO.safetensors", "b" * 10, "b" * 64])
def test_a_checkpoint_is_kept_as_its_title_however_it_was_said(said: str) -> None:
    kept, remarked = changed({"sd_model_checkpoint": said})
    assert (kept, remarked) == ({"sd_model_checkpoint": TWO}, [])
    assert shown(CATALOG, kept)["sd_checkpoint_hash"] == "b" * 64


def test_the_whole_object_back_changes_what_differs_and_nothing_else() -> None:
    whole = shown(CATALOG, {"CLIP_stop_at_last_layers": 2})
    assert changed(whole, {"CLIP_stop_at_last_layers": 2}) == ({}, [])
    kept, remarked = changed({**whole, "sd_model_checkpoint": TWO}, {"CLIP_stop_at_last_layers": 2})
    assert (kept, remarked) == ({"sd_model_checkpoint": TWO}, [])


def test_what_is_the_default_again_is_taken_back() -> None:
    before = {"sd_model_checkpoint": TWO, "enable_pnginfo": False}
    kept, _ = changed({"sd_model_checkpoint": "one", "enable_pnginfo": True}, before)
    assert kept == {"sd_model_checkpoint": None, "enable_pnginfo": None}


def test_none_changes_nothing() -> None:
    assert changed(dict.fromkeys(OPTIONS), {"sd_model_checkpoint": TWO}) == ({}, [])


def test_what_has_no_effect_is_remarked_and_not_kept() -> None:
    kept, remarked = changed({"eta_noise_seed_delta": 31337, "CLIP_stop_at_last_layers": 2, "outdir": ""})
    assert (kept, remarked) == ({"CLIP_stop_at_last_layers": 2}, ["eta_noise_seed_delta"])


def test_another_hash_than_the_checkpoints_is_remarked() -> None:
    assert changed({"sd_checkpoint_hash": "c" * 64}) == ({}, ["sd_checkpoint_hash"])


def test_a_strict_service_refuses_what_has_no_effect() -> None:
    with pytest.raises(InvalidField, match="has no effect here"):
        changes(CATALOG, {}, {"eta_noise_seed_delta": 31337}, Remarks(strict=True))


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"sd_model_checkpoint": "three"}, UnknownModel),
        ({"sd_model_checkpoint": 5}, InvalidField),
        ({"sd_model_checkpoint": "x" * 1000}, InvalidField),
        ({"sd_vae": "mse"}, UnknownVae),
        ({"CLIP_stop_at_last_layers": 0}, InvalidField),
        ({"jpeg_quality": True}, InvalidField),
        ({"samples_format": ["png"]}, InvalidField),
        ({"samples_format": "gif"}, InvalidField),
        ({"jpeg_quality": 101}, InvalidField),
        ({"enable_pnginfo": 0}, InvalidField),
    ],
)
def test_a_wrong_value_is_refused_by_its_name(body: dict[str, Any], error: type[InvalidField]) -> None:
    with pytest.raises(error) as refused:
        changed(body)
    assert refused.value.field == next(iter(body))


def test_a_checkpoint_that_is_not_served_any_more_stays_what_was_chosen() -> None:
    before = {"sd_model_checkpoint": "gone.safetensors [cccccccccc]"}
    told = shown(CATALOG, before)
    assert (told["sd_model_checkpoint"], told["sd_checkpoint_hash"]) == ("gone.safetensors [cccccccccc]", None)
    assert changed(told, before) == ({}, [])


def test_a_checkpoint_that_broke_meanwhile_stays_what_was_chosen() -> None:
    broken = Unavailable("two", BrokenWeights("unet", "is cut off"))
    told = shown(Catalog([model("one", "a")], [broken], default="one"), {"sd_model_checkpoint": TWO})
    assert (told["sd_model_checkpoint"], told["sd_checkpoint_hash"]) == (TWO, None)


@given(st.dictionaries(st.sampled_from(list(OPTIONS)) | st.text(LETTERS, max_size=20), JSON, max_size=6))
def test_any_object_is_kept_or_refused_by_a_field_of_its_own(body: dict[str, Any]) -> None:
    refused_by = ""
    kept: dict[str, Any] = {}
    try:
        kept, _ = changed(body)
    except InvalidField as refused:
        refused_by = refused.field
    assert not refused_by or refused_by in body
    assert set(kept) <= set(body) & set(OPTIONS)
    assert all(len(text) <= MOST_VALUE_CHARS for text in written(kept).values())
