"""Names of files as A1111 shows them, and what callers say of them."""

import hashlib

import pytest

from api.dialects.a1111.titles import (
    checkpoint_of,
    checkpoint_title,
    controlnet_of,
    controlnet_title,
    vae_of,
)
from darkroom.catalog import Catalog
from darkroom.catalog.controlnets import Controlnets
from darkroom.catalog.unavailable import Unavailable
from darkroom.catalog.vaes import Vaes
from darkroom.contract.controlnet import ControlnetSpec
from darkroom.contract.model import ModelSpec
from darkroom.contract.vae import VaeSpec
from darkroom.errors import BrokenWeights, UnknownControlnet, UnknownModel, UnknownVae
from darkroom.infotext.hashes import weights_sha256
from tests.fakes import fake_catalog

ONE = "ab" * 32
TWO = "cd" * 32


def model(name: str, **weights: str) -> ModelSpec:
    return fake_catalog().spec("tiny").model_copy(update={"name": name, "weights": weights})


def controlnet(name: str, sha256: str) -> ControlnetSpec:
    return ControlnetSpec(
        name=name, type="canny", path="/secret", weights="w", sha256=sha256, bytes=1, models=(), misfits={}
    )


def vae(name: str) -> VaeSpec:
    told = {"path": "/secret", "layout": "single_file", "weights": "w", "sha256": TWO, "bytes": 1, "channels": 4}
    return VaeSpec(name=name, **told, pixels=8, scaling=0.18215, models=("sd15",), misfits={})


@pytest.fixture
def catalog() -> Catalog:
    return Catalog(
        [model("sd15", one=ONE), model("ab", two=TWO)],
        [Unavailable("broken", BrokenWeights("unet", "is cut off"))],
        default="sd15",
        controlnets=Controlnets([controlnet("canny-15", ONE)]),
        vaes=Vaes([vae("mse")]),
    )


def test_a_checkpoint_of_one_file_goes_by_its_digest() -> None:
    assert weights_sha256({"model.safetensors": ONE}) == ONE
    assert checkpoint_title(model("sd15", one=ONE)) == "sd15.safetensors [ababababab]"


def test_a_checkpoint_of_several_files_has_one_digest_for_all_in_any_order() -> None:
    both = weights_sha256({"a": ONE, "b": TWO})
    assert both == weights_sha256({"b": TWO, "a": ONE}) == hashlib.sha256(f"a {ONE}\nb {TWO}".encode()).hexdigest()
    assert both != weights_sha256({"a": TWO, "b": ONE})


@pytest.mark.parametrize(
    "said",
    ["sd15.safetensors [ababababab]", "sd15", "SD15.safetensors", "sd15 [ababababab]", " sd15 ", "ab" * 5, ONE],
)
def test_a_checkpoint_is_found_by_whatever_part_of_its_title(catalog: Catalog, said: str) -> None:
    assert checkpoint_of(catalog, said, "sd_model_checkpoint").name == "sd15"


def test_a_name_goes_before_a_hash_that_begins_so(catalog: Catalog) -> None:
    assert checkpoint_of(catalog, "ab", "f").name == "ab"
    with pytest.raises(UnknownModel):
        checkpoint_of(catalog, "aba", "f")


@pytest.mark.parametrize("said", ["", "sd16", "none", "[ababababab]", "sd15 [", "x" * 10_000, "/secret", "..", "\n"])
def test_what_names_no_checkpoint_is_refused_with_the_titles(catalog: Catalog, said: str) -> None:
    with pytest.raises(UnknownModel, match=r"known: ab\.safetensors \[cdcdcdcdcd\], sd15") as refused:
        checkpoint_of(catalog, said, "sd_model_checkpoint")
    assert refused.value.field == "sd_model_checkpoint"
    assert len(refused.value.detail) < 200


def test_a_broken_checkpoint_says_what_is_wrong_with_it(catalog: Catalog) -> None:
    with pytest.raises(BrokenWeights, match="cut off"):
        checkpoint_of(catalog, "broken.safetensors", "f")


@pytest.mark.parametrize("said", ["canny-15 [abababab]", "canny-15", "Canny-15", "abababab", "canny-15.safetensors"])
def test_a_controlnet_is_found_by_title_name_or_hash(catalog: Catalog, said: str) -> None:
    found = controlnet_of(catalog, said, "model")
    assert (found.name, controlnet_title(found)) == ("canny-15", "canny-15 [abababab]")


def test_an_unknown_controlnet_is_refused_with_the_titles(catalog: Catalog) -> None:
    with pytest.raises(UnknownControlnet, match=r"known: canny-15 \[abababab\]"):
        controlnet_of(catalog, "depth-15", "model")


@pytest.mark.parametrize(
    ("said", "name"), [("Automatic", None), ("None", None), ("", None), ("MSE.safetensors", "mse")]
)
def test_a_vae_is_the_checkpoints_own_or_a_named_one(catalog: Catalog, said: str, name: str | None) -> None:
    found = vae_of(catalog, said, "sd_vae")
    assert (found.name if found else None) == name


def test_an_unknown_vae_is_refused_with_the_others(catalog: Catalog) -> None:
    with pytest.raises(UnknownVae, match="known: Automatic, mse"):
        vae_of(catalog, "ema", "sd_vae")
