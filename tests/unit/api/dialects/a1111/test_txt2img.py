"""Bodies of `txt2img` -> requests of ours."""

import contextlib
from typing import Any

import pytest
from fastapi.exceptions import RequestValidationError
from hypothesis import given, settings
from hypothesis import strategies as st

from api.dialects.a1111.asking import asking_of
from api.dialects.a1111.shape import name_of
from api.dialects.a1111.txt2img import text_to_image
from api.dialects.remarks import Remarks
from darkroom.contract.generation import RefinerAsked, TextToImage
from darkroom.errors import InvalidField, UnknownModel, UnknownScheduler, UnknownVae
from tests.unit.api.dialects.a1111.bodies import LIBRECHAT, OPEN_WEBUI, WEBUIAPI_TXT2IMG
from tests.unit.api.dialects.a1111.conftest import Asks, shipped

WORDS = {"prompt": "a cat"}


def settled(asks: Asks, body: dict[str, Any], options: dict[str, Any] | None = None) -> TextToImage:
    asked = text_to_image(asks({**WORDS, **body}, options))
    assert isinstance(asked, TextToImage)
    return asked


def remarked(asks: Asks, body: dict[str, Any]) -> list[str]:
    asking = asks({**WORDS, **body})
    text_to_image(asking)
    return [notice.field for notice in asking.remarks.notices]


@pytest.mark.parametrize("body", [WEBUIAPI_TXT2IMG, LIBRECHAT, OPEN_WEBUI, WORDS, {}])
def test_what_clients_send_with_every_call_warns_nobody(asks: Asks, body: dict[str, Any]) -> None:
    asking = asks(body, strict=True)
    text_to_image(asking)
    assert asking.remarks.notices == ()


def test_the_fields_of_a_client_are_ours(asks: Asks) -> None:
    asked = settled(asks, WEBUIAPI_TXT2IMG)
    assert (asked.prompt, asked.seed, asked.n, asked.steps, asked.guidance_scale) == ("a red circle", None, 1, 20, 7.0)
    assert (asked.width, asked.height, asked.scheduler, asked.hires) == (128, 128, "euler_a", None)
    assert (asked.infotext, asked.output_format) == (True, "png")


def test_what_is_left_out_is_the_models_own(asks: Asks) -> None:
    asked = settled(asks, {})
    assert (asked.width, asked.height, asked.steps, asked.guidance_scale, asked.scheduler) == (None,) * 5


def test_numbers_may_be_sent_as_text(asks: Asks) -> None:
    said = {"steps": "20", "cfg_scale": "7.5", "seed": "41", "width": "128", "batch_size": "2", "enable_hr": "False"}
    asked = settled(asks, said)
    assert (asked.steps, asked.guidance_scale, asked.seed, asked.width, asked.n) == (20, 7.5, 41, 128, 2)
    assert settled(asks, {"seed": "-1"}).seed is None
    assert settled(asks, {"enable_hr": "true", "hr_scale": "1.5"}).hires is not None


@pytest.mark.parametrize("said", ["20 steps", "0x14", "1e3", "\u0662", "nan", " 20", "9" * 21])
def test_a_text_that_is_no_number_is_none(asks: Asks, said: str) -> None:
    with pytest.raises(InvalidField, match="must be a whole number"):
        text_to_image(asks({**WORDS, "batch_size": said}))


def test_pictures_are_counted_over_all_batches(asks: Asks) -> None:
    assert settled(asks, {"batch_size": 2, "n_iter": 3, "seed": 7}).n == 6


@pytest.mark.parametrize(("each", "times"), [(100, 100), (0, 1), (-1, -1), (17, 1), (10**300, 1)])
def test_a_number_of_pictures_that_nobody_gets_is_refused(asks: Asks, each: int, times: int) -> None:
    with pytest.raises(InvalidField) as refused:
        text_to_image(asks({**WORDS, "batch_size": each, "n_iter": times}))
    assert refused.value.field == "batch_size"


@pytest.mark.parametrize(
    ("said", "scheduler"),
    [
        ({"sampler_name": "DPM++ 2M Karras"}, "dpmpp_2m_karras"),
        ({"sampler_index": "Euler"}, "euler"),
        ({"sampler_name": "Euler", "sampler_index": "DDIM", "scheduler": "Beta"}, "euler_beta"),
        ({"scheduler": "sgm_uniform"}, "ddim_sgm_uniform"),
    ],
)
def test_samplers_are_found_by_their_names(asks: Asks, said: dict[str, str], scheduler: str) -> None:
    assert settled(asks, said).scheduler == scheduler


def test_a_sampler_that_is_not_here_is_refused_and_a_spacing_remarked(asks: Asks) -> None:
    with pytest.raises(UnknownScheduler):
        text_to_image(asks({**WORDS, "sampler_name": "Restart"}))
    assert remarked(asks, {"sampler_name": "Euler a", "scheduler": "Karras"}) == ["scheduler"]


def test_options_hold_unless_the_request_overrides_them(asks: Asks) -> None:
    kept = {"samples_format": "jpg", "jpeg_quality": 70, "enable_pnginfo": False, "CLIP_stop_at_last_layers": 2}
    asked = settled(asks, {}, kept)
    assert (asked.output_format, asked.output_compression, asked.infotext, asked.clip_skip) == ("jpeg", 70, False, 1)
    over = {"override_settings": {"samples_format": "webp", "CLIP_stop_at_last_layers": 1, "enable_pnginfo": True}}
    asked = settled(asks, over, kept)
    assert (asked.output_format, asked.infotext, asked.clip_skip) == ("webp", True, 0)


def test_names_that_are_overridden_are_checked(asks: Asks) -> None:
    title = "tiny.safetensors"
    assert settled(asks, {"override_settings": {"sd_model_checkpoint": title, "sd_vae": "Automatic"}}).model == "tiny"
    for name, kind in (("sd_model_checkpoint", UnknownModel), ("sd_vae", UnknownVae)):
        with pytest.raises(kind) as refused:
            asks({**WORDS, "override_settings": {name: "no-such"}})
        assert refused.value.field == f"override_settings.{name}"


def test_a_setting_that_we_do_not_know_is_told_without_its_name(asks: Asks) -> None:
    asking = asks({**WORDS, "override_settings": {"my-password": "hunter2"}, "auth": "user:hunter2"})
    asked = text_to_image(asking)
    (notice,) = asking.remarks.notices
    assert notice.field == "override_settings"
    assert "hunter2" not in repr((asked, asking.remarks.notices))
    assert "my-password" not in repr(asking.remarks.notices)


def test_layers_are_counted_as_the_original_does(asks: Asks) -> None:
    assert [settled(asks, {"clip_skip": said}).clip_skip for said in (0, 1, 2)] == [0, 0, 1]
    with pytest.raises(InvalidField, match="must be from 1 to 2 for tiny") as refused:
        text_to_image(asks({**WORDS, "override_settings": {"CLIP_stop_at_last_layers": 12}}))
    assert refused.value.field == "CLIP_stop_at_last_layers"


@pytest.mark.parametrize("empty", [None, [], {}, ""])
def test_what_is_empty_may_be_of_any_kind(asks: Asks, empty: Any) -> None:
    said = {"alwayson_scripts": empty, "override_settings": empty, "styles": empty}
    assert remarked(asks, said) == []


def test_a_second_pass_is_made_where_it_is_enabled(asks: Asks) -> None:
    asked = settled(asks, {"enable_hr": True, "hr_scale": 1.5, "denoising_strength": 0.5, "hr_second_pass_steps": 8})
    assert asked.hires is not None
    assert asked.hires.model_dump() == {"scale": 1.5, "strength": 0.5, "steps": 8, "upscaler": "latent"}


def test_a_second_pass_may_name_its_size(asks: Asks) -> None:
    said = {"enable_hr": True, "hr_resize_x": 192, "width": 128, "height": 128, "hr_upscaler": "Lanczos"}
    hires = settled(asks, said).hires
    assert hires is not None
    assert (hires.scale, hires.upscaler) == (1.5, "lanczos")
    assert remarked(asks, {**said, "hr_resize_y": 256}) == ["hr_resize_y"]


@pytest.mark.parametrize("field", ["hr_resize_x", "hr_resize_y"])
def test_a_size_of_a_second_pass_beyond_all_pictures_is_refused(asks: Asks, field: str) -> None:
    """399 digits are JSON, and more than a float holds."""
    with pytest.raises(InvalidField, match="must be at most 8192") as refused:
        text_to_image(asks({**WORDS, "enable_hr": True, field: 10**399}))
    assert refused.value.field == field


def test_a_second_pass_that_enlarges_nothing_is_told_and_left_out(asks: Asks) -> None:
    """SillyTavern's `hr_scale` is 1 until somebody changes it."""
    assert settled(asks, {"enable_hr": True, "hr_scale": 1.0}).hires is None
    assert remarked(asks, {"enable_hr": True, "hr_scale": 1}) == ["hr_scale"]


def test_a_checkpoint_that_was_chosen_and_is_gone_is_named_as_the_option_it_is(asks: Asks) -> None:
    with pytest.raises(UnknownModel) as refused:
        asks(WORDS, {"sd_model_checkpoint": "gone.safetensors [0123456789]"})
    assert refused.value.field == "sd_model_checkpoint"


def test_what_a_second_pass_cannot_have_is_remarked(asks: Asks) -> None:
    said = {"hr_upscaler": "R-ESRGAN 4x+", "hr_sampler_name": "DDIM", "hr_prompt": "a dog"}
    assert remarked(asks, {"enable_hr": True, **said}) == ["hr_sampler_name", "hr_prompt", "hr_upscaler"]
    assert remarked(asks, said) == []


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"tiling": True}, "tiling"),
        ({"restore_faces": True}, "restore_faces"),
        ({"subseed_strength": 0.5}, "subseed_strength"),
        ({"styles": ["anime"]}, "styles"),
        ({"firstphase_width": 64}, "firstphase_width"),
        ({"alwayson_scripts": {"ADetailer": {"args": [True, {}]}}}, "alwayson_scripts"),
    ],
)
def test_a_field_that_should_have_had_an_effect_is_remarked(asks: Asks, said: dict[str, Any], field: str) -> None:
    assert remarked(asks, said) == [field]


@pytest.mark.parametrize("seed", [-1, 0, 41])
def test_the_seed_of_a_variation_says_nothing_without_its_strength(asks: Asks, seed: int) -> None:
    assert remarked(asks, {"subseed": seed, "subseed_strength": 0}) == []
    assert remarked(asks, {"subseed": seed, "subseed_strength": 0.1}) == ["subseed_strength"]


@pytest.mark.parametrize("args", [[], [False], [False, {"ad_model": "x"}], None])
def test_scripts_that_are_turned_off_warn_nobody(asks: Asks, args: Any) -> None:
    assert remarked(asks, {"alwayson_scripts": {"ADetailer": {"args": args}}}) == []


def test_a_script_that_makes_the_pictures_is_refused(asks: Asks) -> None:
    with pytest.raises(InvalidField, match="Script not found"):
        text_to_image(asks({**WORDS, "script_name": "X/Y/Z plot"}))


def test_a_refiner_takes_over_where_it_is_told_to(asks: Asks) -> None:
    asked = settled(asks, {"refiner_checkpoint": "tiny", "refiner_switch_at": 0.6})
    assert asked.refiner == RefinerAsked(model="tiny", switch_at=0.6)
    assert settled(asks, {"refiner_checkpoint": "None", "refiner_switch_at": 0.6}).refiner is None
    assert settled(asks, {"refiner_checkpoint": "tiny", "refiner_switch_at": 1}).refiner is None


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"steps": "twenty"}, "steps"),
        ({"cfg_scale": 1000}, "cfg_scale"),
        ({"seed": 2**32}, "seed"),
        ({"seed": True}, "seed"),
        ({"width": 4}, "width"),
        ({"prompt": "a" * 10_001}, "prompt"),
        ({"refiner_checkpoint": "tiny", "refiner_switch_at": 0}, "refiner_switch_at"),
        ({"enable_hr": True, "hr_scale": 9}, "hr_scale"),
        ({"enable_hr": True, "hr_second_pass_steps": 1000}, "hr_second_pass_steps"),
    ],
)
def test_what_our_contract_refuses_is_told_by_the_dialects_field(asks: Asks, said: dict[str, Any], field: str) -> None:
    with pytest.raises(RequestValidationError) as refused:
        text_to_image(asks({**WORDS, **said}))
    _, *place = refused.value.errors()[0]["loc"]
    assert name_of(".".join(map(str, place))) == field


def test_a_prompt_beyond_all_limits_is_refused_before_it_is_looked_into(asks: Asks) -> None:
    with pytest.raises(InvalidField) as refused:
        text_to_image(asks({"prompt": "<lora:" * 10_000}))
    assert refused.value.field == "prompt"


FIELDS = [*WEBUIAPI_TXT2IMG, "model", "clip_skip", "refiner_checkpoint", "refiner_switch_at", "auth"]
TEXT = st.text('ab 1<:>"-,\n猫', max_size=12)  # of few letters: all of Unicode takes long to look up
WILD = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 600) | st.floats(-1, 9, allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=50)
@given(st.dictionaries(st.sampled_from(FIELDS), WILD, max_size=8))
def test_any_body_is_a_request_or_a_refusal(body: dict[str, Any]) -> None:
    with contextlib.suppress(InvalidField, RequestValidationError):
        assert isinstance(text_to_image(asking_of(body, {}, shipped(), Remarks())), TextToImage)
