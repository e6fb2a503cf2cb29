"""The VAE of a request: settled by content, refused where it does not fit."""

import pytest
from pydantic import ValidationError

from darkroom.catalog import Catalog, Vaes
from darkroom.contract.generation import TextToImage
from darkroom.contract.plan import GenerationPlan
from darkroom.contract.vae import NamedVae, OwnVae, VaeSpec
from darkroom.errors import UnknownVae, VaeMisfit
from darkroom.planner import plan
from tests.unit.planner.test_plan import SPEC


def vae(name: str, misfits: dict[str, str]) -> VaeSpec:
    return VaeSpec(
        name=name,
        path=f"/vaes/{name}",
        layout="diffusers",
        weights="diffusion_pytorch_model.safetensors",
        sha256="cd" * 32,
        bytes=1,
        channels=4,
        pixels=8,
        scaling=0.18215,
        models=() if misfits else ("portrait",),
        misfits=misfits,
    )


KNOWN = Vaes([vae("soft", {}), vae("xl", {"portrait": "its latents are others"})])
CATALOG = Catalog([SPEC], default="portrait", vaes=KNOWN)


def planned(name: str | None) -> GenerationPlan:
    return plan(TextToImage(prompt="a", vae=name), CATALOG, now=0.0, seed_source=lambda: 7)


def test_a_vae_is_settled_by_content() -> None:
    assert planned("soft").vae == NamedVae(name="soft", sha256="cd" * 32)
    assert planned("soft").warnings == ()


def test_without_one_it_is_the_models_own_also_in_plans_that_were_written_before_there_was_a_choice() -> None:
    settled = planned(None)
    assert settled.vae == OwnVae()
    older = settled.model_dump(mode="json", exclude={"vae"})
    assert GenerationPlan.model_validate(older) == settled


def test_a_plan_with_a_vae_survives_json() -> None:
    assert GenerationPlan.model_validate_json(planned("soft").model_dump_json()) == planned("soft")


def test_one_that_nobody_configured_is_refused_by_field() -> None:
    with pytest.raises(UnknownVae) as raised:
        planned("hard")
    assert raised.value.field == "vae"


def test_one_of_another_space_of_latents_is_refused_by_field() -> None:
    with pytest.raises(VaeMisfit, match="its latents are others") as raised:
        planned("xl")
    assert raised.value.field == "vae"


@pytest.mark.parametrize("wrong", ["", "../soft", "Soft", 7, True, ["soft"], {"name": "soft"}])
def test_what_is_no_name_is_refused(wrong: object) -> None:
    with pytest.raises(ValidationError):
        TextToImage.model_validate({"prompt": "a", "vae": wrong})
