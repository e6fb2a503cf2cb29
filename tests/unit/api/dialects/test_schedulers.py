import pytest

from api.dialects.schedulers import scheduler_named
from darkroom.errors import UnknownScheduler


@pytest.mark.parametrize(
    ("said", "ours"),
    [
        ("ddim", "ddim"),
        ("EulerDiscreteScheduler", "euler"),
        ("eulerancestraldiscrete", "euler_a"),
        ("DPMSolverMultistep", "dpmpp_2m"),
        ("dpmpp_2m_karras", "dpmpp_2m_karras"),
        (" K_EULER ", "euler"),
    ],
)
def test_a_scheduler_is_found_by_each_of_its_names(said: str, ours: str) -> None:
    assert scheduler_named(said, "scheduler", {"k_euler": "euler"}) == ours


@pytest.mark.parametrize("said", ["", "FooScheduler", "x" * 100_000])
def test_none_is_guessed(said: str) -> None:
    with pytest.raises(UnknownScheduler) as refused:
        scheduler_named(said, "parameters.scheduler")
    assert refused.value.field == "parameters.scheduler"
    assert len(refused.value.detail) < 600
