import pytest
from pydantic import ValidationError

from darkroom.settings import Settings


@pytest.mark.parametrize(
    ("said", "spoken"),
    [("openai, A1111", ("openai", "a1111")), ("", ()), ("hf,hf", ("hf",))],
)
def test_dialects_are_named_with_commas_between(monkeypatch: pytest.MonkeyPatch, said: str, spoken: object) -> None:
    monkeypatch.setenv("DARKROOM_COMPAT", said)
    assert Settings().compat == spoken


def test_a_dialect_that_nobody_speaks_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DARKROOM_COMPAT", "openai,comfy")
    with pytest.raises(ValidationError, match="compat"):
        Settings()
