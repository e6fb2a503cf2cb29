"""docker-compose.yml, held against what it describes: the schema, our settings, and who may know what."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from darkroom.services.deployment import begin
from darkroom.settings import Settings
from deploy.local.compose import read_environment, read_services

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "docker-compose.yml"
KNOWN = {f"DARKROOM_{name.upper()}" for name in Settings.model_fields}
# As docs/operations-in-detail.md grants them.
SECRETS = {
    "gateway": {
        "DARKROOM_WATERMARK_SECRET",
        "DARKROOM_SIGNING_CERTIFICATE",
        "DARKROOM_API_KEYS",
        "DARKROOM_WEBHOOK_SECRETS",
    },
    "worker": {"DARKROOM_WATERMARK_SECRET", "DARKROOM_SIGNING_CERTIFICATE", "DARKROOM_SIGNING_KEY"},
    "worker-gpu": {"DARKROOM_WATERMARK_SECRET", "DARKROOM_SIGNING_CERTIFICATE", "DARKROOM_SIGNING_KEY"},
    "courier": {"DARKROOM_WEBHOOK_SECRETS"},
}


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    here = tmp_path_factory.mktemp("here")
    begin(here, "studio")
    return read_services(COMPOSE, read_environment(here / ".env"))


def test_it_is_as_compose_has_it() -> None:
    program = Path(sys.executable).with_name("check-jsonschema")
    subprocess.run([program, "--builtin-schema", "vendor.compose-spec", COMPOSE], check=True, capture_output=True)


def test_every_variable_of_ours_is_a_setting(services: dict[str, dict[str, Any]]) -> None:
    named = {name for service in services.values() for name in service["environment"] if name.startswith("DARKROOM_")}
    assert named
    assert named <= KNOWN


def test_settings_are_read_from_what_each_is_given(
    services: dict[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    for service in SECRETS:
        with monkeypatch.context() as patch:
            for name, value in services[service]["environment"].items():
                patch.setenv(name, value)
            assert Settings().store == "s3"


@pytest.mark.parametrize("service", SECRETS)
def test_each_knows_the_secrets_that_its_work_takes_and_no_others(
    services: dict[str, dict[str, Any]], service: str
) -> None:
    every = set().union(*SECRETS.values())
    assert set(services[service]["environment"]) & every == SECRETS[service]


def test_each_has_a_user_of_redis_of_its_own(services: dict[str, dict[str, Any]]) -> None:
    for service in SECRETS:
        (user,) = re.findall(
            r"^redis://(\w+):[^@]+@valkey:6379/0$", services[service]["environment"]["DARKROOM_REDIS_URL"]
        )
        assert user == service.removesuffix("-gpu")


def test_a_worker_is_given_the_time_that_it_takes_to_stop(services: dict[str, dict[str, Any]]) -> None:
    for service in ("worker", "worker-gpu"):
        grace = float(services[service]["stop_grace_period"].removesuffix("s"))
        assert grace >= float(services[service]["environment"]["DARKROOM_DRAIN_SECONDS"]) + 15


def test_only_proxy_and_store_can_be_reached_from_elsewhere(services: dict[str, dict[str, Any]]) -> None:
    published = {name for name, service in services.items() if service.get("ports")}
    assert published == {"proxy", "seaweedfs", "prometheus", "grafana"}
    for name in published:
        assert all(port.startswith("127.0.0.1:") for port in services[name]["ports"])
    assert services["valkey"]["networks"] == ["inside"]


def test_how_many_there_are_outlives_the_next_up(services: dict[str, dict[str, Any]]) -> None:
    """`up` without --scale goes back to what stands here."""
    assert {name: services[name].get("scale") for name in ("worker", "worker-gpu", "gateway", "courier")} == {
        "worker": "1",
        "worker-gpu": "1",
        "gateway": "1",
        "courier": None,
    }


def test_the_proxy_is_opened_to_others_by_lines_that_are_there(services: dict[str, dict[str, Any]]) -> None:
    """As deploy/proxy/listen.conf, which is tried in nginx, but for the port that is published."""
    ours = (ROOT / "deploy/compose/proxy/listen.conf").read_text()
    theirs = (ROOT / "deploy/proxy/listen.conf").read_text().replace("443", "8080")
    assert ours.replace("#", "").endswith(theirs)
    mounted = {volume.split(":")[0]: volume.split(":")[1] for volume in services["proxy"]["volumes"]}
    assert mounted["./deploy/compose/proxy/tls"] == "/etc/proxy/tls"
    assert (ROOT / "deploy/compose/proxy/tls").is_dir()


def test_what_was_not_begun_says_how_to_begin() -> None:
    with pytest.raises(KeyError, match="run `darkroom secrets` first"):
        read_services(COMPOSE, {})


def test_all_files_that_it_mounts_are_there(services: dict[str, dict[str, Any]]) -> None:
    mounted = [volume.partition(":")[0] for service in services.values() for volume in service.get("volumes", ())]
    ours = [path for path in mounted if path.startswith("./deploy/") and not path.startswith("./deploy/compose/")]
    assert len(ours) >= 4
    assert [path for path in ours if not (ROOT / path).exists()] == []


def test_every_variable_that_it_reads_is_explained() -> None:
    """`python docs/generate.py` writes the page."""
    spec = importlib.util.spec_from_file_location("docs_generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert (ROOT / ".env.example").read_text() == module.env_example()
