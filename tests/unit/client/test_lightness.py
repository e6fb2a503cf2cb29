"""What it costs to have the client at hand: nothing until it is asked for, and then nothing of a server."""

import subprocess
import sys

import pytest

import darkroom
from darkroom.client import AsyncClient, Client, ClientError

HEAVY = {"torch", "diffusers", "redis", "rq", "boto3", "fastapi", "pydantic_settings", "numpy", "PIL", "cv2"}


@pytest.mark.parametrize(
    ("program", "absent"),
    [("import darkroom", HEAVY | {"httpx", "pydantic", "asyncio"}), ("from darkroom import Client", HEAVY)],
)
def test_importing_brings_only_what_is_needed(program: str, absent: set[str]) -> None:
    asked = f"import sys; {program}; print(sorted({sorted(absent)!r} and set({sorted(absent)!r}) & set(sys.modules)))"
    ended = subprocess.run([sys.executable, "-P", "-c", asked], capture_output=True, text=True, check=True)
    assert ended.stdout == "[]\n"


def test_the_package_has_the_clients_and_nothing_that_it_has_not() -> None:
    assert (darkroom.Client, darkroom.AsyncClient, darkroom.ClientError) == (Client, AsyncClient, ClientError)
    with pytest.raises(AttributeError, match="no attribute 'Klient'"):
        darkroom.Klient  # noqa: B018 - asked for
