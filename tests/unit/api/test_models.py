import httpx

from darkroom.catalog import SCHEDULERS
from darkroom.contract.generation import MAX_PROMPT_CHARS, MAX_SEED
from darkroom.services import Services
from tests.fakes import fake_services
from tests.gateway import GENERATIONS, client_of


async def test_models_tell_their_sizes_and_defaults(services: Services, client: httpx.AsyncClient) -> None:
    told = (await client.get("/api/v1/models")).json()
    assert told["default"] == services.catalog.default
    assert [model["name"] for model in told["models"]] == [spec.name for spec in services.catalog.specs()]
    assert told["models"][0]["default_steps"] == services.catalog.specs()[0].default_steps
    assert told["models"][0]["tasks"] == list(services.catalog.specs()[0].tasks)
    assert not {"path", "weights"} & set(told["models"][0])


async def test_every_scheduler_told_of_is_taken(client: httpx.AsyncClient) -> None:
    told = [scheduler["name"] for scheduler in (await client.get("/api/v1/schedulers")).json()["schedulers"]]
    assert tuple(told) == SCHEDULERS
    for name in told:
        answer = await client.post(GENERATIONS, json={"prompt": "a", "scheduler": name})
        assert answer.json()["plan"]["scheduler"] == name


async def test_capabilities_are_the_contracts_own_limits(client: httpx.AsyncClient) -> None:
    told = (await client.get("/api/v1/capabilities")).json()
    assert told["tasks"] == ["text_to_image", "image_to_image", "inpaint", "outpaint"]
    assert told["output_formats"] == ["png", "jpeg", "webp"]
    limits = told["limits"]
    assert (limits["max_prompt_chars"], limits["max_seed"]) == (MAX_PROMPT_CHARS, MAX_SEED)
    most = {"prompt": "a", "n": limits["max_images"], "steps": limits["max_steps"], "seed": limits["max_seed"]}
    assert (await client.post(GENERATIONS, json=most)).status_code == 202
    for field in ("n", "steps", "seed"):
        over = await client.post(GENERATIONS, json={**most, field: most[field] + 1})
        assert (over.status_code, over.json()["field"]) == (422, field)


async def test_labels_that_may_be_asked_for_are_told_and_reach_the_plan() -> None:
    services = fake_services(visible_label="AI", visible_labels=("KI-generiert",))
    async with client_of(services) as client:
        told = (await client.get("/api/v1/capabilities")).json()
        assert (told["visible_labels"], told["always_labelled"]) == (["AI", "KI-generiert"], "AI")
        for asked, drawn in ((None, "AI"), (True, "AI"), ("KI-generiert", "KI-generiert")):
            answer = await client.post(GENERATIONS, json={"prompt": "a", "visible_label": asked})
            assert answer.json()["plan"]["visible_label"] == drawn
        kept = await client.post(GENERATIONS, json={"prompt": "a", "visible_label": False})
        assert [warning["field"] for warning in kept.json()["warnings"]] == ["visible_label"]
        refused = await client.post(GENERATIONS, json={"prompt": "a", "visible_label": "no AI"})
        assert (refused.status_code, refused.json()["field"]) == (422, "visible_label")
