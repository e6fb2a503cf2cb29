"""The manifests, built by kustomize and held against Kubernetes' own schemas and against what they promise."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from darkroom.services.deployment import begin_in_kubernetes
from darkroom.settings import Settings
from tests.deploy.programs import ROOT, judged
from tests.security.deployment import findings

MANIFESTS = ROOT / "deploy" / "kubernetes"
OVERLAYS = ("dev", "production", "gpu")
KNOWN = {f"DARKROOM_{name.upper()}" for name in Settings.model_fields}
# No schema of it comes with Kubernetes.
OF_OTHERS = {"ScaledObject"}
Manifest = dict[str, Any]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("kubernetes")
    shutil.copytree(MANIFESTS, folder / "in", ignore=shutil.ignore_patterns("secrets"))
    begin_in_kubernetes(folder / "in/overlays/dev/secrets", "studio")
    for overlay in OVERLAYS:
        text = judged("kubectl", "kustomize", folder / "in/overlays" / overlay)
        (folder / f"{overlay}.yaml").write_text(text)
    return {overlay: folder / f"{overlay}.yaml" for overlay in OVERLAYS}


def manifests(path: Path, kind: str | None = None) -> list[Manifest]:
    return [each for each in yaml.safe_load_all(path.read_text()) if kind in (None, each["kind"])]


def named(path: Path, kind: str, name: str) -> Manifest:
    (found,) = [each for each in manifests(path, kind) if each["metadata"]["name"] == name]
    return found


def pods(path: Path) -> Iterator[tuple[str, Manifest]]:
    for kind in ("Deployment", "StatefulSet"):
        for each in manifests(path, kind):
            yield each["metadata"]["name"], each["spec"]["template"]["spec"]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_kubernetes_finds_no_fault_with_an_overlay(built: dict[str, Path], overlay: str, tmp_path: Path) -> None:
    ours = [each for each in manifests(built[overlay]) if each["kind"] not in OF_OTHERS]
    (tmp_path / "ours.yaml").write_text(yaml.safe_dump_all(ours))
    judged("kubernetes-validate", "--strict", tmp_path / "ours.yaml")


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_container_gives_up_what_it_does_not_need(built: dict[str, Path], overlay: str) -> None:
    assert findings(built[overlay]) == []


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_no_pod_has_a_token_of_the_cluster(built: dict[str, Path], overlay: str) -> None:
    assert [name for name, pod in pods(built[overlay]) if pod.get("automountServiceAccountToken") is not False] == []


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_no_other_service_is_a_setting_of_ours(built: dict[str, Path], overlay: str) -> None:
    """Of a service `darkroom` Kubernetes would tell every pod DARKROOM_PORT=tcp://…."""
    assert [name for name, pod in pods(built[overlay]) if pod.get("enableServiceLinks") is not False] == []


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_container_says_how_much_it_takes(built: dict[str, Path], overlay: str) -> None:
    for name, pod in pods(built[overlay]):
        for container in (*pod["containers"], *pod.get("initContainers", ())):
            resources = container["resources"]
            assert {"cpu", "memory"} <= set(resources["requests"]), name
            assert "memory" in resources["limits"], name


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_variable_is_a_setting_and_settings_are_read_from_them(
    built: dict[str, Path], overlay: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = [each["data"] for each in manifests(built[overlay], "ConfigMap") if "darkroom" in each["metadata"]["name"]]
    variables = {name: value for data in shared for name, value in data.items() if name.startswith("DARKROOM_")}
    own = [container for _, pod in pods(built[overlay]) for container in pod["containers"]]
    variables |= {
        each["name"]: each["value"] for container in own for each in container.get("env", ()) if "value" in each
    }
    ours = {name: value for name, value in variables.items() if name.startswith("DARKROOM_")}
    assert set(ours) <= KNOWN
    for name, value in ours.items():
        monkeypatch.setenv(name, value)
    assert Settings().store == "s3"


@pytest.mark.parametrize("overlay", ["production", "gpu"])
def test_production_holds_no_secret(built: dict[str, Path], overlay: str) -> None:
    assert manifests(built[overlay], "Secret") == []


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_a_worker_is_given_the_time_that_it_takes_to_stop(built: dict[str, Path], overlay: str) -> None:
    pod = named(built[overlay], "Deployment", "worker")["spec"]["template"]["spec"]
    (drain,) = [each["value"] for each in pod["containers"][0]["env"] if each["name"] == "DARKROOM_DRAIN_SECONDS"]
    assert pod["terminationGracePeriodSeconds"] >= float(drain) + 15
    shared = [each["data"] for each in manifests(built[overlay], "ConfigMap")]
    (longest,) = [data["DARKROOM_MAX_JOB_SECONDS"] for data in shared if "DARKROOM_MAX_JOB_SECONDS" in data]
    assert float(drain) >= float(longest), "or the longest job is begun again elsewhere"


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_key_that_signs_is_a_workers_alone(built: dict[str, Path], overlay: str) -> None:
    for name, pod in pods(built[overlay]):
        for volume in pod.get("volumes", ()):
            if volume.get("secret", {}).get("secretName", "").startswith("darkroom-signing"):
                keys = [item["key"] for item in volume["secret"].get("items", ())]
                assert name == "worker" or keys == ["tls.crt"], name


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_everything_is_forbidden_that_is_not_allowed(built: dict[str, Path], overlay: str) -> None:
    closed = named(built[overlay], "NetworkPolicy", "nothing")["spec"]
    assert (closed["podSelector"], set(closed["policyTypes"])) == ({}, {"Ingress", "Egress"})
    assert not {"ingress", "egress"} & set(closed)


def test_a_disruption_leaves_somebody_who_answers(built: dict[str, Path]) -> None:
    assert "replicas" not in named(built["production"], "Deployment", "gateway")["spec"], "its autoscaler says"
    scaled = named(built["production"], "HorizontalPodAutoscaler", "gateway")["spec"]["minReplicas"]
    fixed = named(built["production"], "Deployment", "courier")["spec"]["replicas"]
    for name, replicas in {"gateway": scaled, "courier": fixed}.items():
        assert named(built["production"], "PodDisruptionBudget", name)["spec"]["minAvailable"] < replicas


def test_gpus_are_scaled_by_what_the_gateway_tells(built: dict[str, Path]) -> None:
    scaled = named(built["gpu"], "ScaledObject", "worker")["spec"]
    assert scaled["minReplicaCount"] == 0
    (trigger,) = scaled["triggers"]
    assert "darkroom_jobs_expected_seconds" in trigger["metadata"]["query"]
    worker = named(built["gpu"], "Deployment", "worker")["spec"]
    assert "replicas" not in worker, "or every apply would undo what KEDA said"
    assert worker["template"]["spec"]["containers"][0]["resources"]["limits"]["nvidia.com/gpu"] == "1"


@pytest.mark.parametrize(("overlay", "image"), [("dev", "cpu"), ("production", "cpu"), ("gpu", "cuda")])
def test_every_container_of_a_worker_has_the_image_that_is_meant(
    built: dict[str, Path], overlay: str, image: str
) -> None:
    pod = named(built[overlay], "Deployment", "worker")["spec"]["template"]["spec"]
    images = {each["image"].partition(":")[0] for each in (*pod["containers"], *pod.get("initContainers", ()))}
    assert images == {f"darkroom-worker-{image}"}


def test_a_collector_is_reached_where_traces_are_wanted_and_nowhere_else(
    built: dict[str, Path], tmp_path: Path
) -> None:
    shutil.copytree(MANIFESTS, tmp_path / "in", ignore=shutil.ignore_patterns("secrets"))
    with (tmp_path / "in/overlays/production/kustomization.yaml").open("a") as file:
        file.write("components: [../../components/traces]\n")
    traced = tmp_path / "traced.yaml"
    traced.write_text(judged("kubectl", "kustomize", tmp_path / "in/overlays/production"))
    judged("kubernetes-validate", "--strict", traced)
    assert "4318" not in built["production"].read_text()
    policy = named(traced, "NetworkPolicy", "traces")["spec"]
    assert policy["egress"][0]["ports"] == [{"protocol": "TCP", "port": 4318}]
    assert policy["egress"][0]["to"], "one namespace, and not everybody"
    told = [each["data"].get("DARKROOM_OTLP_ENDPOINT", "") for each in manifests(traced, "ConfigMap")]
    assert [url.rpartition(":")[2] for url in told if url] == ["4318"]


@pytest.mark.parametrize(("overlay", "image"), [("dev", "cpu"), ("production", "cpu"), ("gpu", "cuda")])
def test_images_of_a_registry_are_named_by_lines_that_are_added(tmp_path: Path, overlay: str, image: str) -> None:
    """As docs/deployment.md says, of production also where the overlay `gpu` is built on it."""
    shutil.copytree(MANIFESTS, tmp_path / "in", ignore=shutil.ignore_patterns("secrets"))
    begin_in_kubernetes(tmp_path / "in/overlays/dev/secrets", "studio")
    of_production = ("gateway", "courier", "worker-cpu")
    for where, parts in {"dev": of_production, "production": of_production, "gpu": ("worker-cuda",)}.items():
        added = [f"  - {{name: darkroom-{part}, newName: r.example/{part}, newTag: 9.9.9}}\n" for part in parts]
        with (tmp_path / "in/overlays" / where / "kustomization.yaml").open("a") as file:
            file.writelines(added)
    (tmp_path / "built.yaml").write_text(judged("kubectl", "kustomize", tmp_path / "in/overlays" / overlay))
    ours = {name: pod for name, pod in pods(tmp_path / "built.yaml") if name in ("gateway", "courier", "worker")}
    for name, pod in ours.items():
        wanted = f"r.example/worker-{image}:9.9.9" if name == "worker" else f"r.example/{name}:9.9.9"
        assert {each["image"] for each in (*pod["containers"], *pod.get("initContainers", ()))} == {wanted}


def test_the_ledger_is_configured_as_everywhere() -> None:
    there = MANIFESTS / "overlays" / "dev" / "valkey.conf"
    assert there.read_bytes() == (ROOT / "deploy" / "valkey.conf").read_bytes()
