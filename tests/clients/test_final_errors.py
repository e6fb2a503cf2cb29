"""How a job ended is told once: no package of others, and not our own, has it made again by itself."""

from collections import Counter
from collections.abc import Iterator

import httpx
import openai
import pytest
import replicate
import webuiapi
from huggingface_hub import InferenceClient
from huggingface_hub.errors import HfHubHTTPError

import darkroom
from darkroom.client import NotMade
from tests.clients.conftest import RunNode
from tests.clients.failing import CANCELED, ENDS, Failing, failing

ONCE = Counter(ENDS)


@pytest.fixture
def service() -> Iterator[Failing]:
    with failing() as service:
        yield service


def test_openai_makes_one_job(service: Failing) -> None:
    with openai.OpenAI(base_url=f"{service.url}/v1", api_key="KEY") as client:
        for end in ENDS:
            with pytest.raises(openai.UnprocessableEntityError) as refused:
                client.images.generate(prompt=end)
            assert refused.value.code == end
    assert service.made() == ONCE


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore::pydantic.warnings.PydanticDeprecatedSince20")
def test_litellm_and_its_router_make_one_job(service: Failing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    import litellm

    place = {"model": "openai/tiny", "api_base": f"{service.url}/v1", "api_key": "KEY"}
    router = litellm.Router(model_list=[{"model_name": "tiny", "litellm_params": place}], num_retries=2)
    for end in ENDS:
        with pytest.raises(litellm.BadRequestError):
            litellm.image_generation(prompt=end, num_retries=2, **place)
        with pytest.raises(litellm.BadRequestError):
            router.image_generation(prompt=end, model="tiny")
    assert service.made() == ONCE + ONCE


def test_huggingface_hub_makes_one_job(service: Failing) -> None:
    with InferenceClient(base_url=f"{service.url}/hf/models/tiny", timeout=30) as client:
        for end in ENDS:
            with pytest.raises(HfHubHTTPError):
                client.text_to_image(end)
    assert service.made() == ONCE


def test_webuiapi_makes_one_job(service: Failing) -> None:
    client = webuiapi.WebUIApi(baseurl=f"{service.url}/sdapi/v1")
    for end in ENDS:
        with pytest.raises(RuntimeError, match=end):
            client.txt2img(prompt=end, width=128, height=128)
    assert service.made() == ONCE


def test_replicate_makes_one_job(service: Failing) -> None:
    with httpx.HTTPTransport() as transport:
        client = replicate.Client("KEY", base_url=f"{service.url}/replicate", transport=transport)
        for end in ENDS:
            made = client.models.predictions.create("darkroom/tiny", input={"prompt": end}, wait=True)
            made.wait()
            assert made.status == (CANCELED if end == CANCELED else "failed")
    assert service.made() == ONCE


def test_our_own_client_makes_one_job(service: Failing) -> None:
    with darkroom.Client(service.url) as client:
        for end in ENDS:
            with pytest.raises(NotMade) as ended:
                client.generate(end)
            assert ended.value.code == end
    assert service.made() == ONCE


def test_packages_for_javascript_make_one_job_each(service: Failing, node: RunNode) -> None:
    told = node("final_errors.test.mjs", DARKROOM_URL=service.url, ENDS=" ".join(ENDS))
    assert "fail 0" in told
    packages = 5
    assert service.made() == Counter(dict.fromkeys(ENDS, packages))
