"""Parameters of a picture: from its file, or by its watermark for whom it belongs to."""

import base64
import string
from dataclasses import replace
from typing import IO, Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import PngImagePlugin

from api.dialects.a1111.png_info import picture_said, told
from darkroom.contract.verdict import OwnerSeen, State, Verdict
from darkroom.errors import InvalidField
from darkroom.provenance.verifier import Verifier
from darkroom.provenance.written import Words
from darkroom.services import Services
from tests.fakes import fake_services
from tests.gateway import API_KEYS, ask, client_of
from tests.unit.provenance.making import encoded, shapes

LETTERS = f"{string.printable}\0é猫🐈\u202e"
PNG_INFO = "/sdapi/v1/png-info"
TEXT = "a cat, sitting\nNegative prompt: blurry\nSteps: 20, Sampler: Euler a, Seed: 7, Size: 512x768, Model: tiny"


def png(text: str = "") -> str:
    words = PngImagePlugin.PngInfo()
    words.add_text("Software", "NodeUI")
    if text:
        words.add_text("parameters", text)
    return base64.b64encode(encoded(shapes(16, 16), pnginfo=words)).decode()


class Recognising(Verifier):
    """Knows whose every picture is, and how often it was asked."""

    def __init__(self, tenant: str, job_id: str) -> None:
        self.owner = (tenant, job_id)
        self.asked = 0

    async def verify_file(self, picture: IO[bytes], caller: str | None = None) -> Verdict:
        self.asked += 1
        tenant, job_id = self.owner
        owner = OwnerSeen(job_id=job_id, index=1) if caller == tenant else None
        return Verdict(state=State.RECOVERED, text="it is one of ours", owner=owner)


@pytest.mark.parametrize("head", ["", "data:image/png;base64,"])
async def test_what_the_file_says_is_answered_in_a1111s_keys(client: httpx.AsyncClient, head: str) -> None:
    answer = await client.post(PNG_INFO, json={"image": head + png(TEXT)})
    assert answer.status_code == 200, answer.text
    assert answer.json() == {
        "info": TEXT,
        "items": {"Software": "NodeUI"},
        "parameters": {
            "Prompt": "a cat, sitting",
            "Negative prompt": "blurry",
            "Steps": "20",
            "Sampler": "Euler a",
            "Seed": "7",
            "Size-1": "512",
            "Size-2": "768",
            "Model": "tiny",
        },
    }


async def test_what_neither_file_nor_watermark_tells_is_nothing(client: httpx.AsyncClient) -> None:
    answer = await client.post(PNG_INFO, json={"image": png()})
    assert answer.json() == {"info": "", "items": {"Software": "NodeUI"}, "parameters": {}}


async def test_a_watermark_leads_to_the_parameters_of_the_callers_own_picture() -> None:
    services = fake_services(api_keys=API_KEYS, allow_anonymous=False)
    async with client_of(services, "alice") as alice:
        made = await ask(alice, prompt="a red circle", seed=41, n=2)
    verifier = Recognising("alice", made["id"])
    services = replace(services, verifier=verifier)
    async with client_of(services, "alice") as alice, client_of(services, "bob") as bob:
        told_alice = (await alice.post(PNG_INFO, json={"image": png()})).json()
        assert told_alice["info"].startswith("a red circle\n")
        assert told_alice["parameters"]["Seed"] == "42"
        assert (await bob.post(PNG_INFO, json={"image": png()})).json()["info"] == ""
        assert verifier.asked == 2
        assert (await bob.post(PNG_INFO, json={"image": png(TEXT)})).json()["info"] == TEXT
        assert verifier.asked == 2


async def test_a_record_that_is_not_kept_any_more_leads_nowhere(services: Services) -> None:
    services = replace(services, verifier=Recognising("local", "01J00000000000000000000000"))
    async with client_of(services) as client:
        assert (await client.post(PNG_INFO, json={"image": png()})).json()["info"] == ""


async def test_looking_for_a_watermark_counts_as_a_lookup() -> None:
    services = fake_services(verify_per_minute=1)
    services = replace(services, verifier=Recognising("local", ""))
    async with client_of(services) as client:
        assert (await client.post(PNG_INFO, json={"image": png()})).status_code == 200
        refused = await client.post(PNG_INFO, json={"image": png()})
        assert (refused.status_code, refused.json()["error"]) == (429, "rate_limited")
        assert (await client.post(PNG_INFO, json={"image": png(TEXT)})).status_code == 200


@pytest.mark.parametrize(
    ("image", "detail"),
    [
        (None, "image: must be a picture in base64"),
        (" ", "image: must be a picture in base64"),
        (["aGk="], "image: must be a picture in base64"),
        ("!", "image: neither base64"),
        ("aGk=", "not a PNG, JPEG or WebP picture"),
        ("ab" * 32, "image: you have no asset with this id"),
        ("ftp://a.test/b.png", "the URL"),
        ("http://127.0.0.1/b.png", "the URL"),
    ],
)
async def test_what_is_no_picture_is_refused(client: httpx.AsyncClient, image: Any, detail: str) -> None:
    answer = await client.post(PNG_INFO, json={"image": image})
    assert (answer.status_code, answer.json()["detail"][: len(detail)]) == (422, detail)


async def test_an_asset_is_looked_at_by_its_id(client: httpx.AsyncClient) -> None:
    picture = base64.b64decode(png(TEXT))
    sent = await client.post("/api/v1/assets", content=picture, headers={"Content-Type": "image/png"})
    assert (await client.post(PNG_INFO, json={"image": sent.json()["id"]})).json()["info"] == ""


@given(st.dictionaries(st.sampled_from(["image", "x"]), st.none() | st.integers() | st.text(LETTERS, max_size=20)))
def test_any_body_has_a_picture_or_is_refused(body: dict[str, Any]) -> None:
    found, refused_with = "", ""
    try:
        found = picture_said(body)
    except InvalidField as refused:
        refused_with = refused.detail
    assert found or refused_with.startswith("image: ")


@given(st.text(LETTERS, max_size=200))
def test_any_text_is_told_as_it_is(text: str) -> None:
    answer = told(Words(text))
    assert answer["info"] == text
    assert all(isinstance(value, str) for value in answer["parameters"].values())
