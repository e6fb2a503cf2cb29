"""Whose picture it is, and what was asked for, is told to nobody but its owner."""

from typing import Any

import httpx
import pytest

from darkroom.provenance import Facts, TssWatermarker
from darkroom.provenance.manifest import manifest
from darkroom.provenance.signing import CredentialSigner
from darkroom.provenance.watermark import mark_value
from darkroom.services import Services
from tests.fakes import _identity, fake_stamper
from tests.gateway import GENERATIONS, ask, bearer, claim_one
from tests.unit.provenance.making import decoded, encoded, facts, shapes

ALG = TssWatermarker.alg
VERIFY = "/api/v1/provenance/verify"
PROMPT = "a canary in a coal mine"


async def made_for_alice(services: Services, client: httpx.AsyncClient) -> tuple[str, bytes]:
    """Her job's id, and its picture as it left."""
    client.headers.update(bearer("alice"))
    job = await ask(client, prompt=PROMPT, width=128, height=128)
    del client.headers["Authorization"]
    claim = await claim_one(services)
    plan = claim.generation
    stamper = fake_stamper(services.store)
    facts = Facts(job["id"], 0, claim.tenant, plan, plan.seeds[0], 1_800_000_000.0, {"torch": "1"})
    stamped = await stamper.issue(shapes(128, 128), facts, services.store, f"images/{job['id']}/0")
    return job["id"], stamped.data


async def look(client: httpx.AsyncClient, tenant: str, data: bytes) -> Any:
    answer = await client.post(VERIFY, content=data, headers={"Content-Type": "image/png"} | bearer(tenant))
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize("form", ["as it left", "stripped", "changed"])
async def test_only_the_owner_is_told_whose_picture_it_is(
    services: Services, client: httpx.AsyncClient, form: str
) -> None:
    job_id, data = await made_for_alice(services, client)
    shown = {"as it left": data, "stripped": encoded(decoded(data)), "changed": data + b"\0"}[form]
    own, anothers = await look(client, "alice", shown), await look(client, "bob", shown)
    assert own["owner"] == {"job_id": job_id, "index": 0, "parents": [], "prompt": PROMPT, "negative_prompt": ""}
    assert anothers.pop("owner") is None
    own.pop("owner")
    assert own == anothers
    assert not any(word in str(anothers) for word in (job_id, "canary", "alice"))


async def test_the_owner_is_recognised_by_the_credential_where_no_mark_is_found(
    services: Services, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id, data = await made_for_alice(services, client)
    monkeypatch.setattr(TssWatermarker, "identify", lambda *_: None)  # as where its key is read no more
    own, anothers = await look(client, "alice", data), await look(client, "bob", data)
    assert own["owner"] == {"job_id": job_id, "index": 0, "parents": [], "prompt": PROMPT, "negative_prompt": ""}
    assert (anothers["owner"], anothers["state"], anothers["watermark_id"]) == (None, "intact", None)
    assert not any(word in str(anothers) for word in (job_id, "canary", "alice"))


@pytest.mark.parametrize("form", ["stripped", "changed"])
async def test_nothing_but_the_bytes_on_record_makes_an_owner_where_no_mark_is_found(
    services: Services, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    _, data = await made_for_alice(services, client)
    monkeypatch.setattr(TssWatermarker, "identify", lambda *_: None)
    shown = {"stripped": encoded(decoded(data)), "changed": data + b"\0"}[form]
    assert (await look(client, "alice", shown))["owner"] is None


async def test_a_credential_that_names_anothers_mark_makes_no_owner(
    services: Services, client: httpx.AsyncClient
) -> None:
    """Whoever knows an id can sign it into a picture of their own, with a signer that is trusted here, too."""
    _, data = await made_for_alice(services, client)
    mark_id = (await look(client, "alice", data))["watermark_id"]
    forged = CredentialSigner(_identity()).sign(
        encoded(shapes(128, 128, 7)), "image/png", manifest(facts(), ALG, mark_value(int(mark_id, 16)))
    )
    verdict = await look(client, "alice", forged.data)
    assert (verdict["state"], verdict["owner"]) == ("intact", None)


async def test_a_prompt_is_told_no_longer_than_its_generation_is_kept(
    services: Services, client: httpx.AsyncClient
) -> None:
    job_id, data = await made_for_alice(services, client)
    services.ledger._records.clear()
    assert (await client.get(f"{GENERATIONS}/{job_id}", headers=bearer("alice"))).status_code == 404
    owner = (await look(client, "alice", data))["owner"]
    assert owner == {"job_id": job_id, "index": 0, "parents": [], "prompt": None, "negative_prompt": None}
