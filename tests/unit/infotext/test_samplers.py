import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.catalog import SCHEDULERS
from darkroom.infotext.samplers import SAMPLERS, SPACINGS, Found, names_of, scheduler_of


@pytest.mark.parametrize(
    ("sampler", "spacing", "scheduler"),
    [
        ("Euler a", "automatic", "euler_a"),
        ("euler A", "", "euler_a"),
        ("k_euler_ancestral", "", "euler_a"),
        ("DPM++ 2M Karras", "", "dpmpp_2m_karras"),
        ("DPM++ 2M Karras", "exponential", "dpmpp_2m_karras"),
        ("DPM++ 2M", "Automatic", "dpmpp_2m_karras"),
        ("DPM++ 2M", "", "dpmpp_2m_karras"),
        ("DPM++ 2M", "uniform", "dpmpp_2m"),
        ("DPM++ 2M SDE", "", "dpmpp_2m_sde_exponential"),
        ("DPM++ 2M", "SGM Uniform", "dpmpp_2m_sgm_uniform"),
        ("Euler", "sgm_uniform", "euler_sgm_uniform"),
        ("Euler SGMUniform", "", "euler_sgm_uniform"),
        ("DDIM", "Automatic", "ddim"),
        ("PLMS", "", "pndm"),
        ("dpmpp_2m", "", "dpmpp_2m"),
        ("dpmpp_2m", "karras", "dpmpp_2m_karras"),
        ("dpmpp_2m_sde_karras", "", "dpmpp_2m_sde_karras"),
    ],
)
def test_a_sampler_is_found_as_a1111_means_it(sampler: str, spacing: str, scheduler: str) -> None:
    assert scheduler_of(sampler, spacing) == Found(scheduler)


@pytest.mark.parametrize("spacing", ["Align Your Steps", "no such", "beta"])
def test_a_spacing_that_is_not_to_be_had_is_told_and_the_automatic_one_taken(spacing: str) -> None:
    assert scheduler_of("DPM++ SDE", spacing) == Found("dpmpp_sde_karras", lacking=spacing)


@pytest.mark.parametrize("sampler", ["DPM++ 2S a", "Restart", "Karras", " Karras", "", "Euler a Align Your Steps"])
def test_a_sampler_that_is_not_here_is_none(sampler: str) -> None:
    assert scheduler_of(sampler) is None


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_each_scheduler_is_found_by_its_own_names(scheduler: str) -> None:
    assert scheduler_of(*names_of(scheduler)) == Found(scheduler)


def test_every_sampler_has_the_spacing_that_automatic_means() -> None:
    labels = {spacing.label for spacing in SPACINGS}
    for sampler in SAMPLERS:
        assert sampler.automatic in labels
        found = scheduler_of(sampler.name)
        assert found is not None
        assert not found.lacking


@given(st.text(max_size=40), st.text(max_size=40))
def test_no_name_is_too_wild(sampler: str, spacing: str) -> None:
    found = scheduler_of(sampler, spacing)
    assert found is None or found.scheduler in SCHEDULERS
