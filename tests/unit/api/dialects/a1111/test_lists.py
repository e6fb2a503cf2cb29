"""Lists, in the fields that clients of A1111 read."""

from api.dialects.a1111 import lists
from darkroom.catalog import Catalog
from darkroom.catalog.embeddings import Embeddings
from darkroom.catalog.loras import Loras
from darkroom.catalog.vaes import Vaes
from darkroom.contract.embedding import EmbeddingSpec
from darkroom.contract.lora import LoraSpec
from darkroom.contract.vae import VaeSpec
from darkroom.infotext.samplers import scheduler_of
from tests.fakes import fake_catalog

PLACE = "/srv/secret"
DIGEST = "ab" * 32


def catalog() -> Catalog:
    lora = {"path": f"{PLACE}/outline", "sha256": DIGEST, "bytes": 1, "format": "kohya", "rank": 4, "layers": 1}
    vae = {"path": PLACE, "layout": "single_file", "weights": "w", "sha256": DIGEST, "bytes": 1, "channels": 4}
    word = {"path": PLACE, "sha256": DIGEST, "vectors": 2, "widths": (64,)}
    return Catalog(
        [fake_catalog().spec("tiny").model_copy(update={"path": PLACE})],
        default="tiny",
        loras=Loras([LoraSpec(name="outline", **lora, networks=("unet",), models=("tiny",), misfits={})]),
        vaes=Vaes([VaeSpec(name="mse", **vae, pixels=8, scaling=0.18215, models=("tiny",), misfits={})]),
        embeddings=Embeddings(
            [EmbeddingSpec(name="fits", **word, models=("tiny",)), EmbeddingSpec(name="other", **word, models=())]
        ),
    )


def test_checkpoints_have_the_fields_of_the_original() -> None:
    (told,) = lists.checkpoints(catalog())
    assert list(told) == ["title", "model_name", "hash", "sha256", "filename", "config"]
    assert told["title"] == f"{told['filename']} [{told['hash']}]"
    assert told["sha256"].startswith(told["hash"])
    assert (told["model_name"], told["filename"]) == ("tiny", "tiny.safetensors")


def test_no_list_says_where_a_file_lies() -> None:
    known = catalog()
    told = [lists.checkpoints(known), lists.loras(known), lists.vaes(known), lists.embeddings(known, "tiny")]
    assert "outline" in str(told)
    assert PLACE not in str(told)


def test_every_sampler_that_is_listed_can_be_asked_for_with_every_alias() -> None:
    told = lists.samplers()
    assert "Euler a" in [each["name"] for each in told]
    for each in told:
        found = {scheduler_of(name, spacing="Automatic") for name in (each["name"], *each["aliases"])}
        assert None not in found


def test_a_sampler_names_the_scheduler_that_it_has_where_none_is_asked_for() -> None:
    told = {each["name"]: each["options"] for each in lists.samplers()}
    assert told["Euler"] == {}
    assert told["DPM++ 2M"] == {"scheduler": "karras"}
    assert {scheduler for options in told.values() for scheduler in options.values()} <= {
        each["name"] for each in lists.schedulers()
    }


def test_automatic_is_the_first_scheduler() -> None:
    first, *_ = lists.schedulers()
    assert (first["name"], first["label"]) == ("automatic", "Automatic")
    assert first.keys() == {"name", "label", "aliases", "default_rho", "need_inner_model"}


def test_embeddings_are_loaded_for_the_checkpoint_they_fit() -> None:
    told = lists.embeddings(catalog(), "tiny")
    assert (list(told["loaded"]), list(told["skipped"])) == (["fits"], ["other"])
    assert (told["loaded"]["fits"]["shape"], told["loaded"]["fits"]["vectors"]) == (64, 2)
    assert list(lists.embeddings(catalog(), None)["skipped"]) == ["fits", "other"]


def test_there_is_a_script_by_which_clients_know_that_there_is_controlnet() -> None:
    assert "controlnet m2m" in lists.scripts()["txt2img"]
    assert "controlnet m2m" in lists.scripts()["img2img"]


def test_upscalers_begin_with_none() -> None:
    assert [each["name"] for each in lists.upscalers()] == ["None", "Lanczos"]
    assert lists.latent_upscale_modes() == [{"name": "Latent"}]
