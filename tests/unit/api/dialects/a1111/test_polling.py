"""What programs ask one after the other, as they were seen to: Open WebUI's router, SillyTavern's endpoints, webuiapi.

Written after what they sent; of each request as much as they look at.
"""

import asyncio
import base64
from typing import Any

import httpx
import pytest

from darkroom.contract.job import JobState, Progress
from darkroom.services import Services
from tests.fakes import fake_services
from tests.gateway import API_KEYS, KEYS, claim_one, client_of, finish_one

SDAPI = "/sdapi/v1"
TITLE = "tiny.safetensors [7a336531b1]"
# The user's name and password, as SillyTavern has them in one field; the password is the key.
SAID = f"me:{KEYS['alice']}"
SILLY = {"Authorization": f"Basic {base64.b64encode(SAID.encode()).decode()}"}
PICTURE: dict[str, Any] = {
    "prompt": "a red circle",
    "steps": 20,
    "width": 128,
    "height": 128,
    "auth": SAID,
}


async def told(client: httpx.AsyncClient, path: str) -> Any:
    answer = await client.get(f"{SDAPI}/{path}")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def is_idle(client: httpx.AsyncClient) -> bool:
    """As webuiapi and SillyTavern tell."""
    seen = await told(client, "progress")
    return bool(seen["progress"] == 0 and seen["state"]["job_count"] == 0)


@pytest.mark.parametrize("header", ["", "Basic "])
async def test_open_webui_sets_a_checkpoint_by_sending_all_options_back(header: str) -> None:
    async with client_of(fake_services()) as client:
        client.headers["Authorization"] = header
        options = await told(client, "options")
        titles = [{"id": model["title"], "name": model["model_name"]} for model in await told(client, "sd-models")]
        assert titles == [{"id": options["sd_model_checkpoint"], "name": "tiny"}]
        answer = await client.post(f"{SDAPI}/options", json={**options, "sd_model_checkpoint": titles[0]["id"]})
        assert (answer.status_code, "darkroom-warning" in answer.headers) == (200, False)
        assert await told(client, "options") == options


async def test_sillytavern_fills_its_lists() -> None:
    async with client_of(fake_services(api_keys=API_KEYS, allow_anonymous=False)) as client:
        client.headers.update(SILLY)
        await told(client, "options")  # its ping
        assert [model["title"] for model in await told(client, "sd-models")] == [TITLE]
        assert [name["name"] for name in await told(client, "samplers")]
        assert [name["name"] for name in await told(client, "schedulers")]
        pixels, latents = await told(client, "upscalers"), await told(client, "latent-upscale-modes")
        assert [each["name"] for each in (*pixels, *latents)] == ["None", "Lanczos", "Latent"]
        assert await told(client, "sd-vae") == []
        assert (await client.get(f"{SDAPI}/sd-modules")).status_code == 404  # by which it tells Forge apart
        assert "forge_preset" not in await told(client, "options")


async def test_sillytavern_waits_until_a_checkpoint_is_set() -> None:
    async with client_of(fake_services(api_keys=API_KEYS, allow_anonymous=False)) as client:
        client.headers.update(SILLY)
        await told(client, "progress")
        assert (await client.post(f"{SDAPI}/options", json={"sd_model_checkpoint": TITLE})).is_success
        assert await is_idle(client)  # the first of ten times


async def test_a_picture_is_watched_while_it_is_made(client: httpx.AsyncClient, services: Services) -> None:
    seen: list[dict[str, Any]] = []

    async def watch() -> None:
        seen.append(await told(client, "progress"))
        claim = await claim_one(services)
        await services.ledger.report((claim.job_id, claim.attempt, Progress(step=15, steps=20)))
        seen.append(await told(client, "progress"))
        await services.ledger.release(claim.job_id, claim.attempt)
        await finish_one(services)

    assert await is_idle(client)
    asking = asyncio.create_task(client.post(f"{SDAPI}/txt2img", json=PICTURE))
    await waiting(services)
    await watch()
    assert (await asking).status_code == 200
    assert [each["state"]["job_count"] for each in seen] == [1, 1]
    assert [each["progress"] for each in seen] == [0.01, 0.75]
    assert "waiting" in seen[0]["textinfo"]
    assert await is_idle(client)


async def test_an_interrupted_picture_is_told_to_who_waits_for_it(
    client: httpx.AsyncClient, services: Services
) -> None:
    asking = asyncio.create_task(client.post(f"{SDAPI}/txt2img", json=PICTURE))
    await waiting(services)
    claim = await claim_one(services)
    assert (await client.post(f"{SDAPI}/interrupt")).json() == {}
    answer = await asking
    assert (answer.status_code, answer.json()["error"]) == (409, "canceled")
    assert (await services.ledger.get("local", claim.job_id)).state is JobState.CANCELED
    assert (await told(client, "progress"))["state"]["interrupted"]


async def test_what_a_caller_set_is_what_its_pictures_are_made_with() -> None:
    services = fake_services(api_keys=API_KEYS, allow_anonymous=False)
    async with client_of(services, "alice") as alice, client_of(services, "bob") as bob:
        await alice.post(f"{SDAPI}/options", json={"samples_format": "webp", "live_previews_enable": False})
        for client in (alice, bob):
            asking = asyncio.create_task(client.post(f"{SDAPI}/txt2img", json=PICTURE))
            await waiting(services)
            await finish_one(services)
            assert (await asking).status_code == 200
        made = {tenant: (await services.ledger.jobs(tenant, limit=1)).jobs[0].generation for tenant in ("alice", "bob")}
    assert (made["alice"].output_format, made["alice"].previews) == ("webp", False)
    assert (made["bob"].output_format, made["bob"].previews) == ("png", True)


async def waiting(services: Services) -> None:
    """Until a job waits."""
    async with asyncio.timeout(5):
        while not any((await services.ledger.waiting()).values()):
            await asyncio.sleep(0.001)
