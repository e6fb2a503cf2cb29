"""Whatever is laid into `deploy/`, or beside it as a Dockerfile, gives up what it does not need."""

from pathlib import Path

import pytest
import yaml

from tests.security.deployment import findings

ROOT = Path(__file__).parents[2]
IMAGE = "FROM python:3.12-slim@sha256:0\nCOPY . /app\nUSER 10001:10001\n"
STAGES = "ARG BASE=python:3.12\nFROM ${BASE} AS built\nRUN true\nFROM built\nUSER 10001:10001\n"
SERVICE = """
services:
  gateway: &x
    image: darkroom
    read_only: true
    cap_drop: [ALL]
    security_opt: ["no-new-privileges:true"]
    ports: ["127.0.0.1:6379:6379", "8000:8000"]
"""
POD = """
kind: Deployment
spec:
  template:
    spec:
      securityContext: {runAsNonRoot: true}
      containers:
        - name: worker
          securityContext:
            readOnlyRootFilesystem: true
            allowPrivilegeEscalation: false
            capabilities: {drop: [ALL]}
---
kind: Service
spec: {type: LoadBalancer, ports: [{port: 443}]}
"""
SERVER = "bind 127.0.0.1 -::1\nprotected-mode yes\n"


def is_patch(path: Path) -> bool:
    """A part of a pod, for kustomize. tests/deploy/test_kubernetes.py looks at what comes of it."""
    recipe = path.with_name("kustomization.yaml")
    patches = yaml.safe_load(recipe.read_text()).get("patches", ()) if recipe.exists() else ()
    return path.name in {patch.get("path") for patch in patches}


def described() -> list[Path]:
    files = [path for path in (ROOT / "deploy").rglob("*") if path.is_file() and not is_patch(path)]
    return files + [
        path for pattern in ("Dockerfile*", "Containerfile*", "*compose*.y*ml") for path in ROOT.glob(pattern)
    ]


def test_every_container_gives_up_what_it_does_not_need() -> None:
    files = described()
    assert ROOT / "deploy" / "valkey.conf" in files
    assert [words for path in files for words in findings(path)] == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Dockerfile", IMAGE),
        ("Dockerfile", STAGES),
        ("compose.yaml", SERVICE),
        ("pod.yaml", POD),
        ("valkey.conf", SERVER),
    ],
)
def test_one_that_does_is_let_through(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    assert findings(tmp_path / name) == []


@pytest.mark.parametrize(
    ("name", "text", "what", "instead", "words"),
    [
        ("Dockerfile", IMAGE, "USER 10001:10001\n", "", "runs as root"),
        ("Dockerfile.worker", IMAGE, "USER 10001:10001", "USER root", "runs as root"),
        ("Dockerfile", IMAGE, "COPY . /app", "ADD https://x.example/a /app", "ADD fetches"),
        ("Dockerfile", IMAGE, "COPY . /app", "ENV DARKROOM_SIGNING_KEY=abc", "secret into the image"),
        ("Dockerfile", IMAGE, "COPY . /app", "ARG REDIS_PASSWORD=abc", "secret into the image"),
        ("Dockerfile", IMAGE, "python:3.12-slim@sha256:0", "python", "another image tomorrow"),
        ("Dockerfile", STAGES, "BASE=python:3.12", "BASE=python", "another image tomorrow"),
        ("Dockerfile", STAGES, "FROM built", "FROM other", "another image tomorrow"),
        ("compose.yaml", SERVICE, "read_only: true", "read_only: false", "may write to"),
        ("compose.yaml", SERVICE, "cap_drop: [ALL]", "cap_drop: []", "keeps capabilities"),
        ("compose.yaml", SERVICE, 'security_opt: ["no-new-privileges:true"]', "", "may gain privileges"),
        ("compose.yaml", SERVICE, "image: darkroom", "privileged: true", "is the host"),
        ("compose.yaml", SERVICE, "127.0.0.1:6379:6379", "6379:6379", "publishes"),
        ("pod.yaml", POD, "runAsNonRoot: true", "", "may run as root"),
        ("pod.yaml", POD, "readOnlyRootFilesystem: true", "", "may write to"),
        ("pod.yaml", POD, "allowPrivilegeEscalation: false", "", "may gain privileges"),
        ("pod.yaml", POD, "capabilities: {drop: [ALL]}", "capabilities: {add: [SYS_ADMIN]}", "keeps capabilities"),
        ("pod.yaml", POD, "      containers", "      hostNetwork: true\n      containers", "is the host"),
        (
            "pod.yaml",
            POD,
            "      containers",
            "      volumes: [{hostPath: {path: /}}]\n      containers",
            "host's files",
        ),
        ("pod.yaml", POD, "port: 443", "port: 6379", "publishes 6379"),
        ("valkey.conf", SERVER, "bind 127.0.0.1 -::1", "bind 0.0.0.0", "everybody"),
        ("valkey.conf", SERVER, "bind 127.0.0.1 -::1\n", "", "everybody"),
        ("valkey.conf", SERVER, "protected-mode yes", "protected-mode no", "protected-mode"),
    ],
)
def test_one_that_does_not_is_named(tmp_path: Path, name: str, text: str, what: str, instead: str, words: str) -> None:
    assert what in text
    (tmp_path / name).write_text(text.replace(what, instead))
    (told,) = findings(tmp_path / name)
    assert words in told
